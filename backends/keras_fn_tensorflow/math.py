"""Elementwise arithmetic and mathematical functions."""

import math
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.dtype_fallback import (
    in_float32,
    is_exact,
    is_unsigned,
    through_int64,
    unless_dtype,
)
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


# Coefficients of Giles, "Approximating the erfinv function", 2010, for the middle and the tails.
_ERFINV_CENTER = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
_ERFINV_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip


@in_float32
def erfinv(x: Any) -> tf.Tensor:
    """Inverse error function; `tf.math.erfinv` is inexact near 0, and infinite just below 1."""

    @tf.custom_gradient
    def run(x: tf.Tensor) -> Any:
        y = _erfinv(x)
        slope = 0.8862269254527580 * tf.exp(tf.square(y))  # sqrt(pi) / 2
        return y, lambda upstream: upstream * slope

    return run(x)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    """Horner's rule; the highest power comes first."""
    total: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def _erfinv(x: tf.Tensor) -> tf.Tensor:
    w = -tf.math.log((1 - x) * (1 + x))
    center = _polynomial(_ERFINV_CENTER, w - 2.5)
    tail = _polynomial(_ERFINV_TAIL, tf.sqrt(w) - 3.0)
    y = x * tf.where(w < 5.0, center, tail)
    if x.dtype == tf.float64:
        # Beyond single precision, the first guess is the leading terms for x near 1.
        height = tf.maximum(w, 16.0) + math.log(2)
        beyond = tf.sign(x) * tf.sqrt(height - tf.math.log(math.pi * height) / 2)
        y = tf.where(w > 16.0, beyond, y)
        for _ in range(3):  # the coefficients are of single precision: Halley's method
            error = tf.where(
                tf.abs(x) < 0.5,
                tf.math.erf(y) - x,
                tf.sign(x) * ((1 - tf.abs(x)) - tf.math.erfc(tf.abs(y))),
            )
            step = error * 0.8862269254527580 * tf.exp(tf.square(y))
            y -= step / (1 + y * step)
    limit = tf.sign(x) * tf.constant(math.inf, x.dtype)
    return tf.where(tf.abs(x) == 1, limit, y)


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


def _arctan2(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """`raw.Atan2` with gradient 0 at the origin, where TensorFlow's is NaN."""
    origin = (x == 0) & (y == 0)
    value = tf.stop_gradient(raw.Atan2(y=x, x=y))
    return tf.where(origin, value, raw.Atan2(y=x, x=tf.where(origin, tf.ones_like(y), y)))


arctan2 = binary(_arctan2)

gcd = binary(_gcd)

nextafter = binary(_nextafter)


def squared_difference(x1: Any, x2: Any) -> tf.Tensor:
    """`raw.SquaredDifference`; small integers are computed in int64."""
    compute = through_int64(lambda x, y: raw.SquaredDifference(x=x, y=y))
    return compute(*to_common_dtype(x1, x2))


def power(x1: Any, x2: Any) -> tf.Tensor:
    """`raw.Pow`; small integers are computed in int64."""
    has_zero = not isinstance(x2, (int, float)) or x2 == 0
    x1, x2 = to_common_dtype(x1, x2)
    if has_zero and x1.dtype.is_floating:  # the gradient of x ** 0 at 0 is 0; TensorFlow's is NaN
        x1 = tf.where((x1 == 0) & (x2 == 0), tf.ones_like(x1), x1)
    return through_int64(lambda x, y: raw.Pow(x=x, y=y))(x1, x2)


def square(x: Any) -> tf.Tensor:
    """`raw.Square`."""
    return raw.Square(x=x)
