"""Discrete Fourier transforms of pairs of real tensors, and framing."""

from typing import Any

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor

_NARROW = (torch.float16, torch.bfloat16)


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in _NARROW else x


def _complex(x: Any) -> Tensor:
    if not isinstance(x, (list, tuple)):
        raise TypeError("a pair is needed")
    real, imaginary = map(_wide, x)
    if real.shape != imaginary.shape:
        raise ValueError("parts of one shape are needed")
    return torch.complex(real, imaginary)


def _parts(x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return x.real.to(dtype), x.imag.to(dtype)


def _transform(function: Any, x: Tensor, length: int | None = None) -> Tensor:
    """Transforms the last axis; MKL refuses to do so for no rows at all."""
    if x.numel() or not x.ndim or not x.shape[-1]:
        return function(x, length)
    row = function(x.new_zeros(x.shape[-1]), length)
    return row.new_empty((*x.shape[:-1], row.shape[-1]))


def fft(x: Any) -> tuple[Tensor, Tensor]:
    """`torch.fft.fft`."""
    return _parts(_transform(torch.fft.fft, _complex(x)), x[0].dtype)


def rfft(x: Tensor, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """`torch.fft.rfft`."""
    return _parts(_transform(torch.fft.rfft, _wide(x), fft_length), x.dtype)


def irfft(x: Any, fft_length: int | None = None) -> Tensor:
    """`torch.fft.irfft`."""
    return _transform(torch.fft.irfft, _complex(x), fft_length).to(x[0].dtype)


_unfold = with_dtype_fallback(Tensor.unfold)


def extract_sequences(x: Tensor, sequence_length: int, sequence_stride: int) -> Tensor:
    """`Tensor.unfold`; no sequences if the axis is too short."""
    if sequence_length < 1:
        raise ValueError("PyTorch would take it")
    if x.shape[-1] < sequence_length and sequence_stride > 0:
        return x.new_empty((*x.shape[:-1], 0, sequence_length))
    return _unfold(x, -1, sequence_length, sequence_stride)
