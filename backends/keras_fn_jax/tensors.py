"""Tensors: `jax.Array`."""

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
        return jnp.array(x, dtype=None if dtype is None else native_dtype(dtype))


def from_numpy(x: np.ndarray) -> jax.Array:
    """On the CPU, JAX shares the memory of an array where that is aligned.

    `jnp.asarray` would copy others twice.
    """
    return jax.device_put(x)


@cache
def native_dtype(dtype: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(numpy_dtype(standardize_dtype(dtype)))


def convert_to_numpy(x: jax.Array) -> np.ndarray:
    """Copies to the host."""
    return np.asarray(x)


def cast(x: jax.Array, dtype: str) -> jax.Array:
    """Converts to another dtype."""
    target = native_dtype(dtype)
    return x if x.dtype == target else x.astype(target)


def dtype_name(x: Any) -> str:
    """The name of the dtype of `x`, or of `x` if it is one."""
    return standardize_dtype(getattr(x, "dtype", x))


def shape(x: jax.Array) -> tuple[int, ...]:
    """The sizes; JAX knows them all."""
    return x.shape


def is_traced(x: Any) -> bool:
    """Whether Python cannot know the value: not so of what `jax.grad` follows outside of jit."""
    if not isinstance(x, Tracer):
        return False
    try:
        bool(jnp.any(x))
    except jax.errors.JAXTypeError:
        return True
    return False


def view(x: jax.Array, dtype: Any = None) -> jax.Array:
    """`x.view`."""
    return x if dtype is None else x.view(native_dtype(dtype))
