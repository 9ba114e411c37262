"""Comparisons, logical operators and tests of elements."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.dtype_fallback import is_exact, unless_dtype
from keras_fn_tensorflow.elementwise import as_uint8, binary, to_common_dtype, unary

# Integer types of the same width as a float, to read its bits.
_BITS = {2: tf.int16, 4: tf.int32, 8: tf.int64}


def signbit(x: tf.Tensor) -> tf.Tensor:
    """Returns the sign bit, also of NaN."""
    if x.dtype.is_floating:
        return tf.bitcast(x, _BITS[x.dtype.size]) < 0
    if x.dtype.is_unsigned or x.dtype is tf.bool:
        return tf.zeros_like(x, tf.bool)
    return x < 0


logical_not = unary(raw.LogicalNot)


def _of_parts(function: Any, combine: Any) -> Any:
    """Adapts a test of floats to complex numbers, by their real and imaginary parts."""

    def call(x: tf.Tensor) -> tf.Tensor:
        if x.dtype.is_complex:
            return combine(x=function(x=tf.math.real(x)), y=function(x=tf.math.imag(x)))
        return function(x=x)

    return call


isfinite = unless_dtype(
    is_exact, lambda x: tf.ones_like(x, tf.bool), _of_parts(raw.IsFinite, raw.LogicalAnd)
)

isinf = unless_dtype(
    is_exact, lambda x: tf.zeros_like(x, tf.bool), _of_parts(raw.IsInf, raw.LogicalOr)
)

isnan = unless_dtype(
    is_exact, lambda x: tf.zeros_like(x, tf.bool), _of_parts(raw.IsNan, raw.LogicalOr)
)

equal = binary(raw.Equal)

not_equal = binary(raw.NotEqual)

less = binary(raw.Less, as_uint8(raw.Less))

less_equal = binary(raw.LessEqual, as_uint8(raw.LessEqual))

greater = binary(raw.Greater, as_uint8(raw.Greater))

greater_equal = binary(raw.GreaterEqual, as_uint8(raw.GreaterEqual))

logical_and = binary(raw.LogicalAnd)

logical_or = binary(raw.LogicalOr)

logical_xor = binary(raw.NotEqual)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`raw.SelectV2`; of the condition alone, its indices as int32."""
    if x1 is None and x2 is None:
        if condition.dtype is tf.float16:  # the only dtype that tf.where does not support
            condition = tf.cast(condition, tf.bool)
        return tuple(tf.unstack(tf.cast(tf.where(condition), tf.int32), axis=1))
    x1, x2 = to_common_dtype(x1, x2)
    if not tf.is_tensor(condition) or condition.dtype is not tf.bool:
        condition = tf.cast(condition, tf.bool)
    return raw.SelectV2(condition=condition, t=x1, e=x2)
