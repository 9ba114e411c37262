"""Array creation: constants, ranges, diagonals, triangles."""

from typing import Any

import jax
import jax.numpy as jnp

from keras_fn_jax.tensors import native_dtype


def full(shape: Any, value: float, dtype: str) -> jax.Array:
    """A constant."""
    return jnp.full(shape, value, dtype=native_dtype(dtype))
