"""Fourier transforms of pairs of real tensors."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

_NARROW = (tf.float16, tf.bfloat16)


def _wide(x: Any) -> tf.Tensor:
    return tf.cast(x, tf.float32) if x.dtype in _NARROW else x


def _complex(x: Any) -> tf.Tensor:
    if not isinstance(x, (list, tuple)):
        raise TypeError("a pair is needed")
    real, imaginary = map(_wide, x)
    return tf.complex(real, imaginary)


def _length(x: Any, fft_length: int | None) -> list[int] | None:
    if x.shape.rank == 0 or fft_length == 0:
        raise ValueError("TensorFlow would end the process")
    return None if fft_length is None else [fft_length]


def _parts(x: Any, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(tf.math.real(x), dtype), tf.cast(tf.math.imag(x), dtype)


def fft(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """`raw.FFT`."""
    _length(x[0], None)
    return _parts(raw.FFT(input=_complex(x)), x[0].dtype)


def rfft(x: Any, fft_length: int | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """`tf.signal.rfft`, which pads."""
    return _parts(tf.signal.rfft(_wide(x), _length(x, fft_length)), x.dtype)


def irfft(x: Any, fft_length: int | None = None) -> tf.Tensor:
    """`tf.signal.irfft`, which pads."""
    return tf.cast(tf.signal.irfft(_complex(x), _length(x[0], fft_length)), x[0].dtype)
