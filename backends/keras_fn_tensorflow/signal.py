"""Discrete Fourier transforms of pairs of real tensors."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

_NARROW = (tf.float16, tf.bfloat16)


def _wide(x: Any) -> tf.Tensor:
    return tf.cast(x, tf.float32) if x.dtype in _NARROW else x


def _complex(x: Any) -> Any:
    if not isinstance(x, (list, tuple)):
        raise TypeError("a pair is needed")
    real, imaginary = map(_wide, x)
    return tf.complex(real, imaginary)


def _length(x: Any, fft_length: int | None) -> list[int] | None:
    if x.shape.rank == 0 or (x.shape[-1] if fft_length is None else fft_length) == 0:
        raise ValueError("TensorFlow would end the process")
    return None if fft_length is None else [fft_length]


def _parts(x: Any, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(tf.math.real(x), dtype), tf.cast(tf.math.imag(x), dtype)


def fft(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """`raw.FFT`."""
    _length(x[0], None)
    return _parts(raw.FFT(input=_complex(x)), x[0].dtype)


def rfft(x: Any, fft_length: int | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """`tf.signal.rfft`, cut before: its gradient is wrong where it cuts, and for length 1."""
    length = _length(x, fft_length)
    x = x[..., :fft_length]
    if (fft_length or x.shape[-1]) == 1:
        return x, tf.zeros_like(x)
    return _parts(tf.signal.rfft(_wide(x), length), x.dtype)


def irfft(x: Any, fft_length: int | None = None) -> tf.Tensor:
    """`tf.signal.irfft`, cut before: its gradient is wrong where it cuts, and for length 1."""
    parts = _complex(x)
    length = _length(parts[..., 1:], fft_length)
    if fft_length is not None:
        parts = parts[..., : fft_length // 2 + 1]
    result = tf.math.real(parts) if fft_length == 1 else tf.signal.irfft(parts, length)
    return tf.cast(result, x[0].dtype)
