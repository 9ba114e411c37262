"""Elementwise arithmetic and mathematical functions."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.dtype_fallback import is_exact, is_unsigned, through_int64, unless_dtype
from keras_fn_tensorflow.elementwise import binary, to_common_dtype, unary


def _absolute(x: tf.Tensor) -> tf.Tensor:
    """`raw.Abs`, or `tf.abs` for complex numbers."""
    return tf.abs(x) if x.dtype.is_complex else raw.Abs(x=x)


def _gcd(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Euclidean algorithm, until all elements are done."""
    wide = x.dtype if x.dtype in (tf.int32, tf.int64, tf.uint64) else tf.int64
    a, b = tf.cast(x, wide), tf.cast(y, wide)
    if wide is not tf.uint64:
        a, b = tf.abs(a), tf.abs(b)
    shape = tf.broadcast_dynamic_shape(tf.shape(a), tf.shape(b))
    static = tf.broadcast_static_shape(a.shape, b.shape)
    a, b = (tf.ensure_shape(tf.broadcast_to(t, shape), static) for t in (a, b))

    def step(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        remaining = b != 0
        rest = tf.math.floormod(a, tf.where(remaining, b, tf.ones_like(b)))
        return tf.where(remaining, b, a), tf.where(remaining, rest, tf.zeros_like(b))

    a, _ = tf.while_loop(lambda a, b: tf.reduce_any(b != 0), step, (a, b))
    return tf.cast(a, x.dtype)


def _nextafter(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """`raw.NextAfter`; 16-bit floats, which it lacks, are incremented as integers."""
    if x.dtype in (tf.float32, tf.float64):
        return raw.NextAfter(x1=x, x2=y)
    bits = tf.bitcast(x, tf.int16)
    away = tf.constant(1, tf.int16)
    # The bits of negative numbers are in descending order.
    step = tf.where((y > x) == (x > 0), away, -away)
    smallest = tf.where(y > x, tf.constant(1, tf.int16), tf.constant(-32767, tf.int16))
    moved = tf.bitcast(tf.where(x == 0, smallest, bits + step), x.dtype)
    return tf.where((x == y) | tf.math.is_nan(x), x, tf.where(tf.math.is_nan(y), y, moved))


def i0(x: tf.Tensor) -> tf.Tensor:
    """`raw.BesselI0`; bfloat16 is computed in float32."""
    if x.dtype is tf.bfloat16:
        return tf.cast(raw.BesselI0(x=tf.cast(x, tf.float32)), x.dtype)
    return raw.BesselI0(x=x)


exp = unary(raw.Exp)

expm1 = unary(raw.Expm1)

log = unary(raw.Log)

log1p = unary(raw.Log1p)

sqrt = unary(raw.Sqrt)

rsqrt = unary(raw.Rsqrt)

sin = unary(raw.Sin)

cos = unary(raw.Cos)

tan = unary(raw.Tan)

arcsin = unary(raw.Asin)

arccos = unary(raw.Acos)

arctan = unary(raw.Atan)

sinh = unary(raw.Sinh)

cosh = unary(raw.Cosh)

tanh = unary(raw.Tanh)

arcsinh = unary(raw.Asinh)

arccosh = unary(raw.Acosh)

arctanh = unary(raw.Atanh)

sigmoid = unary(raw.Sigmoid)

erf = unary(raw.Erf)

erfc = unary(raw.Erfc)

floor = unary(raw.Floor)

ceil = unary(raw.Ceil)

negative = through_int64(unary(raw.Neg))

absolute = unless_dtype(is_unsigned, tf.identity, _absolute)

sign = unless_dtype(is_unsigned, lambda x: tf.cast(tf.cast(x, tf.bool), x.dtype), raw.Sign)


def exp2(x: Any) -> tf.Tensor:
    """`exp(x * log(2))`."""
    return raw.Exp(x=x * 0.6931471805599453)


def log2(x: Any) -> tf.Tensor:
    """`log(x) / log(2)`: a quotient is exact for powers of two, a product is not."""
    return raw.Log(x=x) / tf.constant(0.6931471805599453, x.dtype)


def log10(x: Any) -> tf.Tensor:
    """`log(x) / log(10)`."""
    return raw.Log(x=x) / tf.constant(2.302585092994046, x.dtype)


def erfinv(x: Any) -> tf.Tensor:
    """`tf.math.erfinv`; half precision is computed in float32."""
    if x.dtype in (tf.float32, tf.float64):
        return tf.math.erfinv(x)
    return tf.cast(tf.math.erfinv(tf.cast(x, tf.float32)), x.dtype)


def round(x: Any, decimals: int = 0) -> tf.Tensor:
    """`raw.Round`, with digits; halves to even."""
    if is_exact(x.dtype) and decimals >= 0:
        return tf.identity(x)
    if decimals == 0:
        return raw.Round(x=x)
    # Integers in float64: float32 would lose digits of large ones.
    wide = tf.cast(x, tf.float64) if is_exact(x.dtype) else x
    scale = tf.cast(10.0 ** abs(decimals), wide.dtype)
    result = (
        raw.Round(x=wide * scale) / scale if decimals > 0 else raw.Round(x=wide / scale) * scale
    )
    return tf.cast(result, x.dtype)


add = binary(raw.AddV2, raw.LogicalOr)

subtract = binary(raw.Sub)

multiply = binary(raw.Mul, raw.LogicalAnd)

true_divide = binary(raw.RealDiv)

floor_divide = binary(raw.FloorDiv)

mod = binary(raw.FloorMod)

maximum = binary(raw.Maximum, raw.LogicalOr)

minimum = binary(raw.Minimum, raw.LogicalAnd)

arctan2 = binary(lambda x, y: raw.Atan2(y=x, x=y))

gcd = binary(_gcd)

nextafter = binary(_nextafter)


def squared_difference(x1: Any, x2: Any) -> tf.Tensor:
    """`raw.SquaredDifference`; small integers are computed in int64."""
    compute = through_int64(lambda x, y: raw.SquaredDifference(x=x, y=y))
    return compute(*to_common_dtype(x1, x2))


def power(x1: Any, x2: Any) -> tf.Tensor:
    """`raw.Pow`; small integers are computed in int64."""
    return through_int64(lambda x, y: raw.Pow(x=x, y=y))(*to_common_dtype(x1, x2))


def square(x: Any) -> tf.Tensor:
    """`raw.Square`, or logical AND for booleans."""
    return raw.LogicalAnd(x=x, y=x) if x.dtype is tf.bool else raw.Square(x=x)
