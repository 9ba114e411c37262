"""Bitwise operators of integers."""

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.dtype_fallback import unless_dtype
from keras_fn_tensorflow.elementwise import binary


def _left_shift(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """`raw.LeftShift`, which is wrong for shifts of the number of bits or more."""
    zero = tf.zeros((), x.dtype)
    return raw.SelectV2(condition=_within(x, y), t=raw.LeftShift(x=x, y=y), e=zero)


def _right_shift(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """`raw.RightShift`, which is wrong for such shifts of unsigned integers."""
    moved = raw.RightShift(x=x, y=y)
    if not x.dtype.is_unsigned:
        return moved
    return raw.SelectV2(condition=_within(x, y), t=moved, e=tf.zeros((), x.dtype))


def _within(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return raw.Less(x=y, y=tf.constant(8 * x.dtype.size, x.dtype))


bitwise_not = unless_dtype(lambda dtype: dtype.is_bool, tf.logical_not, raw.Invert)

bitwise_and = binary(raw.BitwiseAnd, raw.LogicalAnd)

bitwise_or = binary(raw.BitwiseOr, raw.LogicalOr)

bitwise_xor = binary(raw.BitwiseXor, raw.NotEqual)

bitwise_left_shift = binary(_left_shift)

bitwise_right_shift = binary(_right_shift)
