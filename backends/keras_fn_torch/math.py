"""Elementwise arithmetic and mathematical functions."""

from typing import Any

import torch

from keras_fn_torch.dtype_fallback import accepting
from keras_fn_torch.elementwise import _of_tensors
from keras_fn_torch.tensors import Tensor

absolute = accepting(torch.abs)

negative = accepting(torch.neg)

floor_divide = accepting(torch.floor_divide)

mod = accepting(torch.remainder)

power = accepting(torch.pow)

arctan2 = _of_tensors(torch.atan2)

maximum = _of_tensors(torch.maximum)

minimum = _of_tensors(torch.minimum)

fmax = _of_tensors(torch.fmax)

fmin = _of_tensors(torch.fmin)

fmod = _of_tensors(torch.fmod)

gcd = _of_tensors(torch.gcd)

hypot = _of_tensors(torch.hypot)

logaddexp = _of_tensors(torch.logaddexp)

logaddexp2 = _of_tensors(torch.logaddexp2)

nextafter = _of_tensors(torch.nextafter)

trunc = accepting(torch.trunc)


def sign(x: Tensor) -> Tensor:
    """NaN stays NaN: `torch.sign` makes it 0."""
    result = _sign(x)
    return torch.where(x.isnan(), x, result) if x.is_floating_point() else result


_sign = accepting(torch.sign)


def round(x: Tensor, decimals: int = 0) -> Tensor:
    """Integers change only with negative `decimals`."""
    if x.is_floating_point():
        return torch.round(x, decimals=decimals)
    if decimals >= 0:
        return x
    return torch.round(x.double(), decimals=decimals).to(x.dtype)


def clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    """`torch.clamp`, which takes two numbers or two tensors."""
    if isinstance(x_min, Tensor) or isinstance(x_max, Tensor):
        x_min = torch.as_tensor(x_min, device=x.device)
        x_max = torch.as_tensor(x_max, device=x.device)
    return torch.clamp(x, x_min, x_max)


def square(x: Tensor) -> Tensor:
    """`torch.square` would make booleans integers."""
    return torch.mul(x, x)
