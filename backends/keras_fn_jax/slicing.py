"""Slices at dynamic positions."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def dynamic_slice(inputs: jax.Array, starts: Any, sizes: Any) -> jax.Array:
    """`lax.dynamic_slice`; negative starts are clipped, JAX would count them from the end."""
    return lax.dynamic_slice(inputs, [jnp.maximum(start, 0) for start in starts], sizes)


def dynamic_slice_update(inputs: jax.Array, starts: Any, updates: jax.Array) -> jax.Array:
    """`lax.dynamic_update_slice`; negative starts are clipped."""
    return lax.dynamic_update_slice(inputs, updates, [jnp.maximum(start, 0) for start in starts])
