"""Bitwise operators of integers."""

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.dtype_fallback import _unless
from keras_fn_tensorflow.elementwise import _binary


def _left_shift(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """TensorFlow moves by all places but one where it should move by more."""
    zero = tf.zeros((), x.dtype)
    return raw.SelectV2(condition=_within(x, y), t=raw.LeftShift(x=x, y=y), e=zero)


def _right_shift(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Of signed integers all places but one leave the sign, as they should."""
    moved = raw.RightShift(x=x, y=y)
    if not x.dtype.is_unsigned:
        return moved
    return raw.SelectV2(condition=_within(x, y), t=moved, e=tf.zeros((), x.dtype))


def _within(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return raw.Less(x=y, y=tf.constant(8 * x.dtype.size, x.dtype))


bitwise_not = _unless(lambda dtype: dtype.is_bool, tf.logical_not, raw.Invert)

bitwise_and = _binary(raw.BitwiseAnd, raw.LogicalAnd)

bitwise_or = _binary(raw.BitwiseOr, raw.LogicalOr)

bitwise_xor = _binary(raw.BitwiseXor, raw.NotEqual)

bitwise_left_shift = _binary(_left_shift)

bitwise_right_shift = _binary(_right_shift)
