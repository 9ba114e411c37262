"""Discrete Fourier transforms of pairs of real tensors."""

from typing import Any

import numpy as np

from keras_fn_numpy.dtype_fallback import in_float32
from keras_fn_numpy.tensors import is_tensor


def _complex(x: Any) -> Any:
    real, imaginary = x
    if is_tensor(x) or real.shape != imaginary.shape:
        raise ValueError("a pair is needed")
    return real + 1j * imaginary


@in_float32
def fft(x: Any) -> tuple[Any, Any]:
    """`np.fft.fft` of a pair."""
    y = np.fft.fft(_complex(x))
    return y.real, y.imag


@in_float32
def rfft(x: Any, fft_length: int | None = None) -> tuple[Any, Any]:
    """`np.fft.rfft`."""
    y = np.fft.rfft(x, fft_length)
    return y.real, y.imag


@in_float32
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """`np.fft.irfft` of a pair."""
    return np.fft.irfft(_complex(x), fft_length)
