"""Array creation: constants, ranges, diagonals, triangles."""

from typing import Any

import jax
import jax.numpy as jnp

from keras_fn_jax.tensors import _native


def full(shape: Any, value: float, dtype: str) -> jax.Array:
    """A constant."""
    return jnp.full(shape, value, dtype=_native(dtype))
