"""Tensors: `jax.Array`."""

import sys
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.export import is_symbolic_dim

from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.core.host_data import to_array
from keras_fn.core.sparse import is_scipy_sparse, sparse_from_scipy
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn_jax.distribution import gather
from keras_fn_jax.sparse import cast_sparse, to_dense


def _flatten_variable(variable: Variable) -> tuple[tuple[Any], None]:
    return (variable.value,), None


def _unflatten_variable(_: None, children: tuple[Any]) -> Any:
    return children[0]


# Jitted functions, such as nearly all of `jax.numpy`, flatten their arguments as pytrees: a
# Variable is flattened to its value.
jax.tree_util.register_pytree_node(Variable, _flatten_variable, _unflatten_variable)


def is_tensor(x: Any) -> bool:
    """Returns whether `x` is a `jax.Array`, concrete or traced, or a sparse array."""
    return isinstance(x, jax.Array) or is_sparse(x)


def is_sparse(x: Any) -> bool:
    """Returns whether `x` is a sparse array of JAX."""
    module = sys.modules.get("jax.experimental.sparse")
    return module is not None and isinstance(x, module.JAXSparse)


def convert_to_tensor(x: Any, dtype: str | None = None) -> jax.Array:
    """Converts to an array. Python floats become `floatx()`; 64-bit types need JAX's x64 mode."""
    if isinstance(x, jax.Array):
        return x if dtype is None else cast(x, dtype)
    if is_sparse(x):
        return cast(x, dtype_name(x) if dtype is None else dtype)
    if is_scipy_sparse(x):
        return sparse_from_scipy(x, dtype)
    if is_symbolic_dim(x):  # a size, in a program that is exported
        return jnp.asarray(x, None if dtype is None else native_dtype(dtype))
    x, dtype = to_array(x, dtype)
    if isinstance(x, jax.Array):
        return x
    _check_range(x, dtype)
    # A copy: JAX may share memory with the host array, which its owner may change. Evaluated
    # eagerly, since the tensor may outlive a trace that is being recorded.
    with jax.ensure_compile_time_eval():
        return jnp.array(x, dtype=None if dtype is None else native_dtype(dtype))


def _check_range(x: np.ndarray, dtype: str | None) -> None:
    """Refuses Python integers that only 64 bits hold, which JAX would cut off to 32."""
    if dtype in ("int64", "uint64") and stored_dtype(dtype) != dtype and x.size:
        limits = np.iinfo(stored_dtype(dtype))
        if x.dtype.kind in "iu" and (x.min() < limits.min or x.max() > limits.max):
            raise SpecError(
                "A tensor",
                expected="integers of 32 bits, because JAX's 64-bit mode is off",
                received=f"{x!r:.200}",
                fix="call jax.config.update('jax_enable_x64', True) first, or use floats",
            )


def from_numpy(x: np.ndarray) -> jax.Array:
    """`jax.device_put`, which shares the memory of an aligned array on the CPU.

    `jnp.asarray` would copy other arrays twice.
    """
    return jax.device_put(x)


def native_dtype(dtype: Any) -> Any:
    """Returns JAX's dtype; without x64 mode, which a program may switch, it has 32 bits at most."""
    kind = _numpy_dtype(dtype)
    return jax.dtypes.canonicalize_dtype(kind) if kind.itemsize >= 8 else kind


def stored_dtype(dtype: str) -> str:
    """Returns the name of the dtype in which JAX stores values of `dtype`."""
    return native_dtype(dtype).name


@cache
def _numpy_dtype(dtype: Any) -> np.dtype:
    return numpy_dtype(standardize_dtype(dtype))


def convert_to_numpy(x: jax.Array, copy: bool = True) -> np.ndarray:
    """Copies to the host; a sparse array becomes dense."""
    if isinstance(x, jax.Array) and not (isinstance(x, Tracer) or x.is_fully_addressable):
        return gather(x)
    array = np.asarray(to_dense(x) if is_sparse(x) else x)  # a view of an immutable array, on CPUs
    return array.copy() if copy and not array.flags.writeable else array


def cast(x: jax.Array, dtype: str) -> jax.Array:
    """Casts to another dtype."""
    target = native_dtype(dtype)
    if is_sparse(x):
        return cast_sparse(x, target)
    return x if x.dtype == target else x.astype(target)


def dtype_name(x: Any) -> str:
    """Returns the name of the dtype of `x`, or of `x` if it is a dtype."""
    return standardize_dtype(getattr(x, "dtype", x))


def shape(x: jax.Array) -> tuple[int, ...]:
    """Returns the sizes, which JAX always knows."""
    return x.shape


def is_traced(x: Any) -> bool:
    """Returns whether the value is unknown: False for what `jax.grad` traces outside of jit."""
    if is_sparse(x):
        return any(map(is_traced, jax.tree.leaves(x)))
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
