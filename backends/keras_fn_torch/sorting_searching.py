"""Sorting and searching."""

from typing import Any

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor

_searchsorted = with_dtype_fallback(torch.searchsorted)


def searchsorted(sorted_sequence: Tensor, values: Any, side: str = "left") -> Tensor:
    """`torch.searchsorted`, of contiguous tensors: it warns for others."""
    if not isinstance(values, Tensor):
        values = sorted_sequence.new_tensor(values)
    # Not `out_int32`, which the fallback would take for a result in the wider dtype.
    index = _searchsorted(sorted_sequence.contiguous(), values.contiguous(), side=side)
    return index.to(torch.int32)


def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    """`torch.sort`."""
    return torch.sort(x.flatten() if axis is None else x, 0 if axis is None else axis)[0]


def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Stable sort; returns indices as int32."""
    if axis is None:
        x, axis = x.flatten(), 0
    return torch.sort(x, stable=True, dim=axis)[1].to(torch.int32)


_top_k = with_dtype_fallback(torch.topk)


def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """`torch.topk`; ties are broken arbitrarily."""
    values, indices = _top_k(x, k, -1, True, sorted)
    return values, indices.to(torch.int32)


def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """Returns indices as int32."""
    if not x.dim():
        raise ValueError("a scalar")
    return tuple(i.int() for i in x.nonzero(as_tuple=True))
