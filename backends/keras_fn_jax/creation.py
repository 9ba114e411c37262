"""Array creation: `full`."""

from typing import Any

import jax
import jax.numpy as jnp

from keras_fn_jax.tensors import native_dtype


def full(shape: Any, value: float, dtype: str) -> jax.Array:
    """Creates a constant tensor."""
    return jnp.full(shape, value, dtype=native_dtype(dtype))
