"""Statistics: `bincount`."""

from typing import Any

import tensorflow as tf

from keras_fn.core import dtypes
from keras_fn_tensorflow.tensors import cast, dtype_name


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> tf.Tensor:
    """`tf.math.bincount`, also in a graph: its shape may depend on values."""
    if sparse or x.dtype.is_floating or (isinstance(minlength, int) and minlength < 0):
        raise ValueError("bincount counts integers into a dense tensor.")
    axis = None if x.shape.rank == 1 else -1
    x = cast(x, "int32")
    if weights is None:
        return tf.math.bincount(x, minlength=minlength, axis=axis)
    dtype = dtypes.result_type(dtype_name(x), dtype_name(weights))
    wide = dtype if dtype in ("int32", "int64", "float32", "float64") else "float32"
    counts = tf.math.bincount(x, weights=cast(weights, wide), minlength=minlength, axis=axis)
    return cast(counts, dtype)
