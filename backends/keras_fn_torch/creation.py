"""Array creation: constants, ranges, diagonals, triangles."""

from typing import Any

import torch

from keras_fn_torch.device import default_device
from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor, native_dtype


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """`torch.diagonal`."""
    return x.diagonal(offset, axis1, axis2)


def diag(x: Tensor, k: int = 0) -> Tensor:
    """`torch.diag`."""
    return x.diag(k)


_tril, _triu = with_dtype_fallback(torch.tril), with_dtype_fallback(torch.triu)


def tril(x: Tensor, k: int = 0) -> Tensor:
    """`torch.tril`."""
    return _tril(x, k)


def triu(x: Tensor, k: int = 0) -> Tensor:
    """`torch.triu`."""
    return _triu(x, k)


def full(shape: Any, value: float, dtype: str) -> Tensor:
    """Creates a constant tensor."""
    return torch.full(shape, value, dtype=native_dtype(dtype), device=default_device())


_narrow_arange = with_dtype_fallback(
    lambda like, *limits: torch.arange(*limits, dtype=like.dtype, device=like.device)
)


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Tensor:
    """`torch.arange`, empty where `stop` is on the wrong side of `start`."""
    if (stop - start) * step < 0:
        stop = start
    return _narrow_arange(
        torch.empty((), dtype=native_dtype(dtype), device=default_device()), start, stop, step
    )
