"""Tensors: `tf.Tensor`."""

from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.host_data import to_array
from keras_fn.core.sparse import is_scipy_sparse, sparse_from_scipy
from keras_fn.errors import SpecError
from keras_fn_tensorflow.sparse import cast_sparse, to_dense

_TENSORS = (tf.Tensor, tf.Variable)


def is_tensor(x: Any) -> bool:
    """Returns whether `x` is a tensor, eager or symbolic, sparse, or a `tf.Variable`."""
    return isinstance(x, (*_TENSORS, tf.SparseTensor, tf.IndexedSlices))


def is_sparse(x: Any) -> bool:
    """Returns whether `x` is a `tf.SparseTensor` or a sparse gradient."""
    return isinstance(x, (tf.SparseTensor, tf.IndexedSlices))


def is_ragged(x: Any) -> bool:
    """Returns whether `x` is a `tf.RaggedTensor`."""
    return isinstance(x, tf.RaggedTensor)


def convert_to_tensor(x: Any, dtype: str | None = None) -> tf.Tensor:
    """Converts to a tensor. Python floats become `floatx()`, Python integers int32."""
    if isinstance(x, _TENSORS):
        x = tf.convert_to_tensor(x)
        return x if dtype is None else cast(x, dtype)
    if is_sparse(x):
        return x if dtype is None else cast(x, dtype)
    if is_scipy_sparse(x):
        return sparse_from_scipy(x, dtype)
    if is_ragged(x):
        raise SpecError(
            "A tensor",
            expected="samples of one length",
            received=f"a RaggedTensor of shape {tuple(x.shape)}",
            fix="pad it: ops.convert_to_tensor(x, ragged=False). Models and layers take it as it "
            "is, pad it and mask the padding",
        )
    x, dtype = to_array(x, dtype)
    x = tf.convert_to_tensor(x)  # it does not cast arrays
    return x if dtype is None else cast(x, dtype)


def from_numpy(x: np.ndarray) -> tf.Tensor:
    """`tf.convert_to_tensor`, which always copies."""
    return tf.convert_to_tensor(x)


@cache
def native_dtype(dtype: str) -> tf.DType:
    return tf.as_dtype(dtype)


def convert_to_numpy(x: tf.Tensor, copy: bool = True) -> np.ndarray:
    """Copies to the host; a sparse tensor becomes dense.

    A view is read-only. It keeps its value: an assignment to its variable makes a new tensor.
    """
    if is_sparse(x):
        x = to_dense(x)
    elif not copy and x.dtype in _VIEWED:
        tensor: Any = x.read_value() if isinstance(x, tf.Variable) else x
        if isinstance(tensor, tf.__internal__.EagerTensor):
            return np.asarray(memoryview(tensor))
    return np.asarray(x.numpy())


_VIEWED = {  # dtypes that Python's buffers have
    tf.bool, tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64,
    tf.float16, tf.float32, tf.float64, tf.complex64, tf.complex128,
}  # fmt: skip


def cast(x: Any, dtype: str) -> Any:
    """Casts to another dtype."""
    target = native_dtype(dtype)
    if x.dtype is target or x.dtype == target:
        return x
    return cast_sparse(x, target) if is_sparse(x) else tf.cast(x, target)


@cache
def _name(dtype: Any) -> str:
    return standardize_dtype(dtype)


def dtype_name(x: Any) -> str:
    """Returns the name of the dtype of `x`, or of `x` if it is a dtype."""
    return _name(getattr(x, "dtype", x))


def shape(x: tf.Tensor) -> tuple[Any, ...]:
    """Returns the sizes: scalar tensors for those unknown in a graph."""
    sizes = x.shape.as_list()
    if None in sizes:
        dynamic = tf.cast(x.dense_shape, "int32") if is_sparse(x) else tf.shape(x)
        sizes = [dynamic[i] if size is None else size for i, size in enumerate(sizes)]
    return tuple(sizes)


def is_traced(x: Any) -> bool:
    """Returns whether `x` is symbolic: a graph is being traced."""
    return not tf.executing_eagerly() and tf.is_tensor(x)


def view(x: Any, dtype: Any = None) -> Any:
    """`tf.bitcast`; a size change splits or merges elements of the last axis."""
    if dtype is None:
        return tf.identity(x)
    target = native_dtype(dtype)
    if target.size == x.dtype.size:
        return tf.bitcast(x, target)
    *before, last = shape(x)
    if target.size < x.dtype.size:
        times = x.dtype.size // target.size
        return tf.reshape(tf.bitcast(x, target), [*before, last * times])
    times = target.size // x.dtype.size
    return tf.bitcast(tf.reshape(x, [*before, last // times, times]), target)
