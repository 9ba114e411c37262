"""Complex numbers, and conversion to pairs of real numbers."""

import tensorflow as tf
from tensorflow import raw_ops as raw


def conjugate(x: tf.Tensor) -> tf.Tensor:
    """`raw.Conj`; real numbers are returned unchanged."""
    return raw.Conj(input=x) if x.dtype.is_complex else tf.identity(x)


def view_as_complex(x: tf.Tensor) -> tf.Tensor:
    """Views pairs as complex numbers."""
    real, imag = tf.unstack(x, 2, -1)
    return tf.complex(real, imag)


def view_as_real(x: tf.Tensor) -> tf.Tensor:
    """Views complex numbers as pairs."""
    if x.dtype.is_complex:
        return tf.stack([tf.math.real(x), tf.math.imag(x)], -1)
    return tf.stack([x, tf.zeros_like(x)], -1)
