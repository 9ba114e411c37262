"""Elementwise arithmetic and mathematical functions."""

from typing import Any

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.elementwise import accept_numbers
from keras_fn_torch.tensors import Tensor

absolute = with_dtype_fallback(torch.abs)

negative = with_dtype_fallback(torch.neg)

floor_divide = with_dtype_fallback(torch.floor_divide)

mod = with_dtype_fallback(torch.remainder)

power = with_dtype_fallback(torch.pow)

arctan2 = accept_numbers(torch.atan2)

maximum = accept_numbers(torch.maximum)

minimum = accept_numbers(torch.minimum)

fmax = accept_numbers(torch.fmax)

fmin = accept_numbers(torch.fmin)

fmod = accept_numbers(torch.fmod)

gcd = accept_numbers(torch.gcd)

hypot = accept_numbers(torch.hypot)

logaddexp = accept_numbers(torch.logaddexp)

logaddexp2 = accept_numbers(torch.logaddexp2)

nextafter = accept_numbers(torch.nextafter)

trunc = with_dtype_fallback(torch.trunc)


def sign(x: Tensor) -> Tensor:
    """`torch.sign`, in which NaN stays NaN."""
    result = _sign(x)
    return torch.where(x.isnan(), x, result) if x.is_floating_point() else result


_sign = with_dtype_fallback(torch.sign)


def round(x: Tensor, decimals: int = 0) -> Tensor:
    """`torch.round`; integers change only with negative `decimals`."""
    if x.is_floating_point():
        return torch.round(x, decimals=decimals)
    if decimals >= 0:
        return x
    return torch.round(x.double(), decimals=decimals).to(x.dtype)


def clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    """`torch.clamp`, with numbers or tensors."""
    if isinstance(x_min, Tensor) or isinstance(x_max, Tensor):
        x_min = torch.as_tensor(x_min, device=x.device)
        x_max = torch.as_tensor(x_max, device=x.device)
    return torch.clamp(x, x_min, x_max)


def square(x: Tensor) -> Tensor:
    """`x * x`, which keeps booleans: `torch.square` would return integers."""
    return torch.mul(x, x)
