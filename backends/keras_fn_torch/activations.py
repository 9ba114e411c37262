"""Activation functions."""

import torch
import torch.nn.functional as F

from keras_fn_torch.dtype_fallback import of_floats
from keras_fn_torch.tensors import Axis, Tensor, axes_of

selu = of_floats(F.selu)

silu = of_floats(F.silu)

log_sigmoid = of_floats(F.logsigmoid)

hard_sigmoid = of_floats(F.hardsigmoid)

hard_silu = of_floats(F.hardswish)


@of_floats
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`F.elu`."""
    return F.elu(x, alpha)


@of_floats
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """`F.leaky_relu`."""
    return F.leaky_relu(x, negative_slope)


@of_floats
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """`F.gelu`."""
    return F.gelu(x, approximate="tanh" if approximate else "none")


@of_floats
def softplus(x: Tensor) -> Tensor:
    """`F.softplus`, linear from 40 on: from 20 on, its default, float64 would show it."""
    return F.softplus(x, 1.0, 40.0)


@of_floats
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """`F.glu`."""
    return F.glu(x, axis)


def softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    """Over several axes by the sum of the exponentials."""
    if isinstance(axis, int):
        return torch.softmax(x, axis)
    return torch.exp(x - torch.logsumexp(x, axes_of(x, axis), True))


@of_floats
def log_softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    """Over several axes by the sum of the exponentials."""
    if isinstance(axis, int):
        return torch.log_softmax(x, axis)
    return x - torch.logsumexp(x, axes_of(x, axis), True)
