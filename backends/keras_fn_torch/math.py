"""Elementwise arithmetic and mathematical functions."""

from typing import Any

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.elementwise import accept_numbers
from keras_fn_torch.tensors import Tensor

absolute = with_dtype_fallback(torch.abs)

negative = with_dtype_fallback(torch.neg)

_floor_divide = with_dtype_fallback(torch.floor_divide)

mod = with_dtype_fallback(torch.remainder)

power = with_dtype_fallback(torch.pow)

arctan2 = accept_numbers(torch.atan2)

maximum = accept_numbers(torch.maximum)

minimum = accept_numbers(torch.minimum)

fmax = accept_numbers(torch.fmax)

fmin = accept_numbers(torch.fmin)

fmod = accept_numbers(torch.fmod)

gcd = accept_numbers(torch.gcd)


def _without_slope(function: Any, is_singular: Any) -> Any:
    """Returns an op of two tensors with gradient 0 where PyTorch's is NaN."""
    run = accept_numbers(function)

    def call(x1: Any, x2: Any) -> Tensor:
        result = run(x1, x2)
        if not result.requires_grad:
            return result
        singular = is_singular(x1, x2)
        regular = (torch.where(singular, 1.0, torch.as_tensor(x)) for x in (x1, x2))
        return torch.where(singular, result.detach(), run(*regular).to(result.dtype))

    return call


def _is_same_infinity(x1: Any, x2: Any) -> Tensor:
    return (x1 == x2) & torch.isinf(torch.as_tensor(x1))


hypot = _without_slope(torch.hypot, lambda x1, x2: (x1 == 0) & (x2 == 0))

logaddexp = _without_slope(torch.logaddexp, _is_same_infinity)

logaddexp2 = _without_slope(torch.logaddexp2, _is_same_infinity)

nextafter = accept_numbers(torch.nextafter)

trunc = with_dtype_fallback(torch.trunc)


def floor_divide(x1: Any, x2: Any) -> Tensor:
    """`torch.floor_divide`, with gradient 0, which PyTorch lacks."""
    result = _floor_divide(*(x.detach() if isinstance(x, Tensor) else x for x in (x1, x2)))
    return result


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
    """`x * x`, faster than `torch.square`."""
    return torch.mul(x, x)
