"""Variables: the handle is a `jax.Array`, which an assignment replaces."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from keras_fn_jax.tensors import native_dtype


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> jax.Array:
    """Copies the value: the array itself is the state."""
    del trainable, name
    # A copy: a step donates its state, and the caller may keep `value`.
    if isinstance(value, Tracer):
        return jnp.array(value, dtype=native_dtype(dtype), copy=True)
    with jax.ensure_compile_time_eval():  # eager, also in a trace that reads it first
        if isinstance(value, np.ndarray):
            return jax.device_put(value.astype(native_dtype(dtype), copy=False), may_alias=False)
        return jnp.array(value, dtype=native_dtype(dtype), copy=True)


def assign(handle: jax.Array, value: jax.Array) -> jax.Array:
    """Returns a copy of the value as the new handle: a step donates its state."""
    del handle
    # `jnp.array(value, copy=True)` would compile a program for each new shape.
    return value if isinstance(value, Tracer) else jax.device_put(value, may_alias=False)


def assign_add(handle: jax.Array, value: Any) -> jax.Array:
    """Returns the sum as the new handle."""
    return handle + value


def set_trainable(handle: jax.Array, trainable: bool) -> None:
    """Does nothing: JAX differentiates with respect to explicit arguments."""
