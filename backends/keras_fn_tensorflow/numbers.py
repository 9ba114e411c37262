"""Numbers as bits, places in an order, counts, complex numbers."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.core import dtypes
from keras_fn_tensorflow.tensors import cast, dtype_name

# Integers of the same width, to look at the bits of a float.
_BITS = {2: tf.int16, 4: tf.int32, 8: tf.int64}


def absolute(x: tf.Tensor) -> tf.Tensor:
    """Complex numbers have an op of their own."""
    return tf.abs(x) if x.dtype.is_complex else raw.Abs(x=x)


def left_shift(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """TensorFlow moves by all places but one where it should move by more."""
    zero = tf.zeros((), x.dtype)
    return raw.SelectV2(condition=_within(x, y), t=raw.LeftShift(x=x, y=y), e=zero)


def right_shift(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Of signed integers all places but one leave the sign, as they should."""
    moved = raw.RightShift(x=x, y=y)
    if not x.dtype.is_unsigned:
        return moved
    return raw.SelectV2(condition=_within(x, y), t=moved, e=tf.zeros((), x.dtype))


def _within(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return raw.Less(x=y, y=tf.constant(8 * x.dtype.size, x.dtype))


def gcd(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Euclid's algorithm, for all elements until the last of them is done."""
    wide = x.dtype if x.dtype in (tf.int32, tf.int64, tf.uint64) else tf.int64
    a, b = tf.cast(x, wide), tf.cast(y, wide)
    if wide is not tf.uint64:
        a, b = tf.abs(a), tf.abs(b)
    shape = tf.broadcast_dynamic_shape(tf.shape(a), tf.shape(b))
    static = tf.broadcast_static_shape(a.shape, b.shape)
    a, b = (tf.ensure_shape(tf.broadcast_to(t, shape), static) for t in (a, b))

    def step(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        left = b != 0
        rest = tf.math.floormod(a, tf.where(left, b, tf.ones_like(b)))
        return tf.where(left, b, a), tf.where(left, rest, tf.zeros_like(b))

    a, _ = tf.while_loop(lambda a, b: tf.reduce_any(b != 0), step, (a, b))
    return tf.cast(a, x.dtype)


def nextafter(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """TensorFlow knows it in 32 and 64 bits; in 16, the bits are an integer with a next one."""
    if x.dtype in (tf.float32, tf.float64):
        return raw.NextAfter(x1=x, x2=y)
    bits = tf.bitcast(x, tf.int16)
    away = tf.constant(1, tf.int16)
    step = tf.where((y > x) == (x > 0), away, -away)  # of negative numbers the bits fall
    smallest = tf.where(y > x, tf.constant(1, tf.int16), tf.constant(-32767, tf.int16))
    moved = tf.bitcast(tf.where(x == 0, smallest, bits + step), x.dtype)
    return tf.where((x == y) | tf.math.is_nan(x), x, tf.where(tf.math.is_nan(y), y, moved))


def signbit(x: tf.Tensor) -> tf.Tensor:
    """The first bit of a float, that of NaN too."""
    if x.dtype.is_floating:
        return tf.bitcast(x, _BITS[x.dtype.size]) < 0
    if x.dtype.is_unsigned or x.dtype is tf.bool:
        return tf.zeros_like(x, tf.bool)
    return x < 0


def i0(x: tf.Tensor) -> tf.Tensor:
    """TensorFlow does not know it in bfloat16."""
    if x.dtype is tf.bfloat16:
        return tf.cast(raw.BesselI0(x=tf.cast(x, tf.float32)), x.dtype)
    return raw.BesselI0(x=x)


_BOUNDS = {"left": raw.LowerBound, "right": raw.UpperBound}


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> tf.Tensor:
    """Values of any shape, in the one row that TensorFlow has for one sequence; NaN comes last."""
    flat = tf.reshape(values, [-1])
    places = _BOUNDS[side](sorted_inputs=sorted_sequence[None], values=flat[None])[0]
    if values.dtype.is_floating:
        places = tf.where(tf.math.is_nan(flat), tf.size(sorted_sequence), places)
    return tf.reshape(places, tf.shape(values))


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> tf.Tensor:
    """`tf.math.bincount`, which is compiled too: its shape may depend on values here."""
    if sparse or x.dtype.is_floating:
        raise ValueError("bincount counts integers into a dense tensor.")
    axis = None if x.shape.rank == 1 else -1
    x = cast(x, "int32")
    if weights is None:
        return tf.math.bincount(x, minlength=minlength, axis=axis)
    dtype = dtypes.result_type(dtype_name(x), dtype_name(weights))
    wide = dtype if dtype in ("int32", "int64", "float32", "float64") else "float32"
    counts = tf.math.bincount(x, weights=cast(weights, wide), minlength=minlength, axis=axis)
    return cast(counts, dtype)


def conjugate(x: tf.Tensor) -> tf.Tensor:
    """Real numbers as they are."""
    return raw.Conj(input=x) if x.dtype.is_complex else tf.identity(x)


def view_as_complex(x: tf.Tensor) -> tf.Tensor:
    """Pairs as complex numbers."""
    real, imag = tf.unstack(x, 2, -1)
    return tf.complex(real, imag)


def view_as_real(x: tf.Tensor) -> tf.Tensor:
    """Complex numbers as pairs."""
    if x.dtype.is_complex:
        return tf.stack([tf.math.real(x), tf.math.imag(x)], -1)
    return tf.stack([x, tf.zeros_like(x)], -1)


def refuse_no_elements(x: tf.Tensor, axes: int | Sequence[int]) -> None:
    """Raises where an axis to reduce is empty: TensorFlow would return the limit of the dtype."""
    axes = [axes] if isinstance(axes, int) else axes
    if any(x.shape[i] == 0 for i in axes):
        raise ValueError(f"There are no elements to reduce in shape {x.shape}.")
