"""Variables: the handle is a `jax.Array`, which an assignment replaces."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from keras_fn_jax.tensors import native_dtype


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> jax.Array:
    """The array itself is the state."""
    del trainable, name
    # A copy: a step donates its state, and the caller may hold on to `value`.
    if isinstance(value, Tracer):
        return jnp.array(value, dtype=native_dtype(dtype), copy=True)
    with jax.ensure_compile_time_eval():  # a trace that reads it first must not own it
        if isinstance(value, np.ndarray):
            return jax.device_put(value.astype(native_dtype(dtype), copy=False), may_alias=False)
        return jnp.array(value, dtype=native_dtype(dtype), copy=True)


def assign(handle: jax.Array, value: jax.Array) -> jax.Array:
    """A copy of the new array replaces the old one: a step donates its state, but nobody else's."""
    del handle
    # `jnp.array(value, copy=True)` would compile a program for each new shape.
    return value if isinstance(value, Tracer) else jax.device_put(value, may_alias=False)


def assign_add(handle: jax.Array, value: Any) -> jax.Array:
    """The sum replaces the old array."""
    return handle + value


def set_trainable(handle: jax.Array, trainable: bool) -> None:
    """JAX differentiates what it is asked to: there is nothing to note."""
