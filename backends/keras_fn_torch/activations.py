"""Activation functions."""

import torch
import torch.nn.functional as F

from keras_fn_torch.dtype_fallback import in_float32, promote_to_float
from keras_fn_torch.tensors import Axis, Tensor, axes_of

selu = promote_to_float(F.selu)

silu = promote_to_float(F.silu)

log_sigmoid = promote_to_float(F.logsigmoid)

hard_sigmoid = promote_to_float(F.hardsigmoid)

hard_silu = promote_to_float(F.hardswish)


@promote_to_float
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`F.elu`."""
    return F.elu(x, alpha)


@promote_to_float
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """`F.leaky_relu`."""
    return F.leaky_relu(x, negative_slope)


@promote_to_float
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """`F.gelu`."""
    return F.gelu(x, approximate="tanh" if approximate else "none")


@promote_to_float
def softplus(x: Tensor) -> Tensor:
    """`F.softplus` with threshold 40: at the default, 20, float64 is inexact."""
    return F.softplus(x, 1.0, 40.0)


@promote_to_float
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """`F.glu`."""
    return F.glu(x, axis)


def softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    """`torch.softmax`; over several axes via `logsumexp`."""
    if isinstance(axis, int):
        return torch.softmax(x, axis)
    return _softmax_over(x, axes_of(x, axis))


@in_float32
def _softmax_over(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return torch.exp(_log_softmax_over(x, axes))


@promote_to_float
def log_softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    """`torch.log_softmax`; over several axes via `logsumexp`."""
    if isinstance(axis, int):
        return torch.log_softmax(x, axis)
    return _log_softmax_over(x, axes_of(x, axis))


@in_float32
def _log_softmax_over(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return x - torch.logsumexp(x, axes, True)
