"""Dtype fallback: functions compute in another dtype where PyTorch lacks the operand's."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from keras_fn.errors import UnsupportedError
from keras_fn.settings import settings
from keras_fn_torch.tensors import Tensor, native_dtype

# The wider dtype for each dtype. Fallbacks can be chained: convolutions, and matrix products on
# CUDA, compute integers in float64.
_WIDER = {
    torch.bool: torch.int32,
    torch.uint8: torch.int32,
    torch.uint16: torch.int32,
    torch.uint32: torch.int64,
    torch.uint64: torch.int64,
    torch.int8: torch.int32,
    torch.int16: torch.int32,
    torch.int32: torch.float64,
    torch.int64: torch.float64,
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float8_e4m3fn: torch.float32,
    torch.float8_e5m2: torch.float32,
}


def with_dtype_fallback(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: retries in a wider dtype. Supported dtypes cost nothing extra."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (RuntimeError, NotImplementedError):
            dtype = next(x.dtype for x in args if isinstance(x, Tensor))
            wider = _WIDER.get(dtype)
            if wider is None:
                raise
        same = (x.to(wider) if isinstance(x, Tensor) and x.dtype == dtype else x for x in args)
        return _back(call(*same, **kwargs), wider, dtype)

    return call


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: computes half precision in float32, for sums that PyTorch rounds at each step."""

    @wraps(function)
    def call(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if x.dtype is torch.float16 or x.dtype is torch.bfloat16:
            return function(x.float(), *args, **kwargs).to(x.dtype)
        return function(x, *args, **kwargs)

    return call


def _back(result: Any, wider: torch.dtype, dtype: torch.dtype) -> Any:
    if isinstance(result, tuple):
        return tuple(_back(x, wider, dtype) for x in result)
    return result.to(dtype) if result.dtype == wider else result


def promote_to_float(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: casts integers to `floatx()` for a function of floats."""

    @wraps(function)
    def call(x: Tensor, *args: Any, **kwargs: Any) -> Any:
        if not x.is_floating_point():
            x = x.to(native_dtype(settings.floatx))
        return function(x, *args, **kwargs)

    return call


_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def widen_operands(args: list[Any]) -> list[Any] | None:
    """Returns the arguments with large unsigned integers as int64, or None if there are none.

    Most kernels lack these dtypes. All of uint64 but its upper half is exact.
    """
    has_unsigned = False

    def widen(x: Any) -> Any:
        nonlocal has_unsigned
        if isinstance(x, list):
            return list(map(widen, x))
        if not isinstance(x, Tensor) or x.dtype not in _UNSIGNED:
            return x
        has_unsigned = True
        wide = x.to(torch.int64)
        if x.dtype is torch.uint64 and bool((wide < 0).any()):
            raise UnsupportedError(
                "PyTorch computes with uint64 only below 2**63",
                fix="cast to float64, or use another backend",
            )
        return wide

    widened = list(map(widen, args))
    return widened if has_unsigned else None
