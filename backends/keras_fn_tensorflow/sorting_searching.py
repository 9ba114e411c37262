"""Sorting and searching."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.indexing import take_along_axis


def _ordered(x: Any) -> tf.Tensor:
    """Casts to a dtype that `top_k` and sorting support, also with XLA."""
    return tf.cast(x, tf.int32) if x.dtype in (tf.bool, tf.uint16) else x


def _keys(x: Any) -> tf.Tensor:
    """Returns integers in the order of the floats, NaN last: TensorFlow's sort misplaces NaN."""
    if not x.dtype.is_floating:
        return _ordered(x)
    wide, mask = (tf.int64, 2**63 - 1) if x.dtype == tf.float64 else (tf.int32, 2**31 - 1)
    x = x if x.dtype == tf.float64 else tf.cast(x, tf.float32)
    x = tf.where(tf.math.is_nan(x), tf.constant(np.nan, x.dtype), x + 0.0)  # canonical NaN and zero
    bits = tf.bitcast(x, wide)
    return tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, tf.constant(mask, wide)), bits)


def sort(x: Any, axis: int | None = -1) -> tf.Tensor:
    """`tf.sort`, with NaN last."""
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    if 0 in x.shape:  # the gradient needs an element
        return tf.identity(x)
    if x.dtype.is_floating:
        return take_along_axis(x, argsort(x, axis), axis)
    return tf.cast(tf.sort(_ordered(x), axis), x.dtype)


def argsort(x: Any, axis: int | None = -1) -> tf.Tensor:
    """Stable sort; returns indices as int32."""
    if axis is None:
        x, axis = tf.reshape(x, [-1]), -1
    return tf.argsort(_keys(x), axis, stable=True)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[tf.Tensor, tf.Tensor]:
    """`tf.math.top_k`."""
    values, indices = tf.math.top_k(_ordered(x), k, sorted)
    return tf.cast(values, x.dtype), indices


_BOUNDS = {"left": raw.LowerBound, "right": raw.UpperBound}


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> tf.Tensor:
    """`raw.LowerBound` or `raw.UpperBound`, for values of any shape; NaN is the largest."""
    values = tf.convert_to_tensor(values, sorted_sequence.dtype)
    flat = tf.reshape(values, [-1])
    positions = _BOUNDS[side](sorted_inputs=sorted_sequence[None], values=flat[None])[0]
    if values.dtype.is_floating:
        positions = tf.where(tf.math.is_nan(flat), tf.size(sorted_sequence), positions)
    return tf.reshape(positions, tf.shape(values))


def nonzero(x: Any) -> tuple[Any, ...]:
    """`tf.where`; one tensor for each axis, as int32."""
    return tuple(tf.unstack(tf.cast(tf.where(tf.cast(x, tf.bool)), tf.int32), x.shape.rank, axis=1))
