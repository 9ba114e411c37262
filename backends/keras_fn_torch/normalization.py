"""Batch, layer and RMS normalization."""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F

from keras_fn.settings import settings
from keras_fn_torch.tensors import Axis, Tensor, axes_of, native_dtype


def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Batch normalization with given moments: one `addcmul` with per-channel factors."""
    if not x.is_floating_point():
        x = x.to(native_dtype(settings.floatx))
    dtype = x.dtype
    if dtype.itemsize < 4:  # where x is near the mean, the sum below cancels
        x, mean, variance = x.float(), mean.float(), variance.float()
    factor = torch.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = torch.zeros_like(mean) if offset is None else offset
    shift = torch.addcmul(shift, mean, factor, value=-1)
    if axis not in (-1, x.dim() - 1):
        shape = [1] * x.dim()
        shape[axis] = -1
        factor, shift = factor.reshape(shape), shift.reshape(shape)
    return torch.addcmul(shift.to(x.dtype), x, factor.to(x.dtype)).to(dtype)


def batch_norm_train(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, axis: int, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`torch.batch_norm` in training mode; it expects the channels second."""
    moved = x if range(x.dim())[axis] == 1 else x.movedim(axis, 1)
    size = moved.shape[1]
    mean, variance = (torch.zeros(size, dtype=x.dtype, device=x.device) for _ in range(2))
    # With momentum 1 the moving moments are the batch moments, with the unbiased variance.
    y = torch.batch_norm(
        moved, gamma, beta, mean, variance, True, 1.0, epsilon, torch.backends.cudnn.enabled
    )
    number = x.numel() // max(size, 1)
    variance = variance * ((number - 1) / number) if number > 1 else torch.zeros_like(variance)
    return (y if moved is x else y.movedim(1, axis)), mean, variance


def all_reduce_mean(x: Tensor) -> Tensor:
    """Mean over the processes of `torch.distributed`, differentiable."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return x
    from torch.distributed.nn.functional import all_reduce  # slow to import and rarely needed

    return all_reduce(x) / dist.get_world_size()


def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
) -> Tensor:
    """`F.layer_norm`."""
    return _normalize_last_axes(F.layer_norm, x, axis, (gamma, beta), epsilon)


def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: Axis = -1, epsilon: float | None = None
) -> Tensor:
    """`F.rms_norm`."""
    return _normalize_last_axes(F.rms_norm, x, axis, (scale,), epsilon)


def _normalize_last_axes(
    function: Any, x: Tensor, axis: Axis, values: tuple[Tensor | None, ...], epsilon: float | None
) -> Tensor:
    """Calls a function that normalizes the last axes, in float32 at least."""
    epsilon = settings.epsilon if epsilon is None else epsilon
    rank = x.dim()
    axes = sorted(range(rank)[a] for a in axes_of(x, axis))
    if any(not -rank <= a < rank for a in axes_of(x, axis)):
        raise IndexError(f"axis {axis} of a tensor of shape {tuple(x.shape)}")
    last = list(range(rank - len(axes), rank))
    wide = x if x.dtype in (torch.float32, torch.float64) else x.float()
    wide = wide if axes == last else wide.movedim(axes, last)
    sizes = wide.shape[last[0] :]
    # The function raises if their shapes differ from the sizes of the axes.
    values = tuple(None if v is None else v.to(wide.dtype) for v in values)
    y = function(wide, sizes, *values, epsilon)
    return (y if axes == last else y.movedim(last, axes)).to(x.dtype)
