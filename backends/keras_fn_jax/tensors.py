"""Tensors and variables: `jax.Array`, which an assignment replaces."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.core.variable import Variable
from keras_fn.settings import settings

# Compiled functions, as nearly all of `jax.numpy` are, take their arguments apart as pytrees: a
# Variable comes apart into its value, and inside the function it is that value.
jax.tree_util.register_pytree_node(Variable, lambda v: ((v.value,), None), lambda _, x: x[0])


def is_tensor(x: Any) -> bool:
    """Whether `x` is an array of JAX, concrete or traced."""
    return isinstance(x, jax.Array)


def convert_to_tensor(x: Any, dtype: str | None = None) -> jax.Array:
    """Makes an array. Python floats are `floatx()`; 64 bits become 32 unless JAX has x64 on."""
    if isinstance(x, jax.Array):
        return x if dtype is None else cast(x, dtype)
    if dtype is None and not hasattr(x, "dtype"):
        kind = np.asarray(x).dtype.kind
        dtype = settings.floatx if kind == "f" else "int32" if kind in "iu" else None
    # A copy: JAX may share memory with an array, and whoever holds it may change it. Made now, not
    # in a trace that may be under way: what keeps it, a variable say, may outlive the trace.
    with jax.ensure_compile_time_eval():
        return jnp.array(x, dtype=None if dtype is None else _native(dtype))


def borrow(x: np.ndarray) -> jax.Array:
    """On the CPU, JAX shares the memory of an array where that is aligned.

    `jnp.asarray` would copy others twice.
    """
    return jax.device_put(x)


def batch_rows(x: np.ndarray) -> np.ndarray:
    """A compiled step takes an array from the host faster than JAX makes one of its own."""
    return x


@cache
def _native(dtype: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(numpy_dtype(standardize_dtype(dtype)))


def convert_to_numpy(x: jax.Array) -> np.ndarray:
    """Copies to the host."""
    return np.asarray(x)


def cast(x: jax.Array, dtype: str) -> jax.Array:
    """Converts to another dtype."""
    native = _native(dtype)
    return x if x.dtype == native else x.astype(native)


def dtype_name(x: Any) -> str:
    """The name of the dtype of `x`, or of `x` if it is one."""
    return standardize_dtype(getattr(x, "dtype", x))


def shape(x: jax.Array) -> tuple[int, ...]:
    """The sizes; JAX knows them all."""
    return x.shape


def batch_indices(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """The indices of each batch; a compiled step takes them from the host fastest."""
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def gather_rows(x: jax.Array, indices: jax.Array) -> jax.Array:
    """The samples of a batch; the indices are known to be in range."""
    return x.at[indices].get(mode="promise_in_bounds")


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> jax.Array:
    """The array itself is the state."""
    del trainable, name
    # A copy: a step donates its state, and the caller may hold on to `value`.
    if isinstance(value, Tracer):
        return jnp.array(value, dtype=_native(dtype), copy=True)
    with jax.ensure_compile_time_eval():  # a trace that reads it first must not own it
        if isinstance(value, np.ndarray):
            return jax.device_put(value.astype(_native(dtype), copy=False), may_alias=False)
        return jnp.array(value, dtype=_native(dtype), copy=True)


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
