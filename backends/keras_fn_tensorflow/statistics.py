"""Statistics: `bincount`."""

from typing import Any

import tensorflow as tf

from keras_fn.core import dtypes
from keras_fn_tensorflow.sparse import make_sparse
from keras_fn_tensorflow.tensors import cast, dtype_name, shape


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """`tf.math.bincount`, also in a graph: its shape may depend on values."""
    if x.dtype.is_floating or (isinstance(minlength, int) and minlength < 0):
        raise ValueError("bincount counts integers into bins.")
    if sparse:
        return _sparse_bincount(x, weights, minlength)
    axis = None if x.shape.rank == 1 else -1
    x = cast(x, "int32")
    if weights is None:
        return tf.math.bincount(x, minlength=minlength, axis=axis)
    dtype = dtypes.result_type(dtype_name(x), dtype_name(weights))
    wide = dtype if dtype in ("int32", "int64", "float32", "float64") else "float32"
    counts = tf.math.bincount(x, weights=cast(weights, wide), minlength=minlength, axis=axis)
    return cast(counts, dtype)


def _sparse_bincount(x: Any, weights: Any, minlength: int) -> tf.SparseTensor:
    """One entry for each integer that is not negative, of which duplicates are added."""
    dtype = "int32" if weights is None else dtypes.result_type(dtype_name(x), dtype_name(weights))
    values = tf.ones_like(x, dtype) if weights is None else cast(weights, dtype)
    counted = tf.where(x >= 0)
    integers = tf.cast(tf.gather_nd(x, counted), "int64")
    largest = tf.reduce_max(tf.concat([integers, [-1]], 0))
    bins = tf.maximum(largest + 1, minlength)
    rows = counted[:, :-1]
    indices = tf.concat([rows, integers[:, None]], axis=1)
    sizes = shape(x)[:-1]
    return make_sparse(indices, tf.gather_nd(values, counted), (*sizes, bins))
