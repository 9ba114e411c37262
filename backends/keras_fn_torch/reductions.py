"""Reductions, and cumulative sums and products."""

from collections.abc import Callable
from typing import Any

import torch

from keras_fn_torch.dtype_fallback import in_float32, promote_to_float, with_dtype_fallback
from keras_fn_torch.math import maximum, minimum
from keras_fn_torch.tensors import Axis, Tensor, axes_of, cast


def _reduction(function: Callable[..., Any], over_all: Any = None) -> Callable[..., Tensor]:
    """Adapts argument names. `axis=()` reduces nothing, where PyTorch reduces all axes."""
    function = with_dtype_fallback(function)

    def reduce(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        if axis is None:
            return function(x, over_all, keepdims)
        if isinstance(axis, list):
            axis = tuple(axis)
        return x if axis == () else function(x, axis, keepdims)

    return reduce


# In the dtype of the operand, which the op's rule has chosen; PyTorch would return int64.
_sum = with_dtype_fallback(lambda x, axis, keepdims: torch.sum(x, axis, keepdims, dtype=x.dtype))


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`torch.sum` in the dtype of the operand; PyTorch would widen integers to int64."""
    if axis == () or axis == []:
        return x
    if x.is_floating_point():
        return torch.sum(x, axis, keepdims)
    return _sum(x, axis, keepdims)


mean = _reduction(torch.mean)

all = _reduction(torch.all)

any = _reduction(torch.any)

_prod_axis = with_dtype_fallback(
    lambda x, axis, keepdims: torch.prod(x, axis, keepdims, dtype=x.dtype)
)


def _min_max_reduction(
    function: Callable[..., Any], elementwise: Callable[..., Any]
) -> Callable[..., Tensor]:
    reduce_elements = _reduction(function, over_all=())

    def reduce(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
        if initial is None:
            return reduce_elements(x, axis, keepdims)
        if x.numel() == 0:  # PyTorch refuses to reduce empty axes: make them one element long
            axes = {range(x.dim())[a] for a in axes_of(x, axis)}
            x = x.new_full([1 if i in axes else n for i, n in enumerate(x.shape)], initial)
        result = reduce_elements(x, axis, keepdims)
        return elementwise(result, torch.full_like(result, initial))

    return reduce


max = _min_max_reduction(torch.amax, maximum)

min = _min_max_reduction(torch.amin, minimum)


def prod(x: Tensor, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """`torch.prod`, one axis at a time."""
    return _prod(x if dtype is None else cast(x, dtype), axis, keepdims)


@in_float32
def _prod(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    all_axes = range(x.dim())
    for i in sorted((all_axes[a] for a in axes_of(x, axis)), reverse=True):
        x = _prod_axis(x, i, keepdims)
    return x


_argmax, _argmin = with_dtype_fallback(torch.argmax), with_dtype_fallback(torch.argmin)


def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the index as int32."""
    return _argmax(x, axis, keepdims).to(torch.int32)


def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Returns the index as int32."""
    return _argmin(x, axis, keepdims).to(torch.int32)


def _cumulative(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    in_dtype = with_dtype_fallback(lambda x, axis: function(x, axis, dtype=x.dtype))

    def run(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
        if dtype is not None:
            x = cast(x, dtype)
        return in_dtype(x.flatten(), 0) if axis is None else in_dtype(x, axis)

    return run


cumsum = _cumulative(torch.cumsum)

cumprod = _cumulative(torch.cumprod)


@promote_to_float
@in_float32
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`torch.logsumexp`. `axis=()` reduces nothing, where PyTorch reduces all axes."""
    if axis == () or axis == []:
        return x
    return torch.logsumexp(x, axes_of(x, axis), keepdims)
