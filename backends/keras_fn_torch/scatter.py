"""Scatter: a copy of a tensor with updates at indices."""

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor

_REDUCTIONS = {"max": "amax", "min": "amin", "mul": "prod", "add": "sum"}


def scatter_update(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None
) -> Tensor:
    """`index_put` if every index is in range, else a scatter that drops the others."""
    if indices.dtype is torch.bool:
        raise TypeError("indices of torch.bool")
    updates, indices = updates.to(inputs.dtype), indices.long()
    if reduction in (None, "add") and inputs.is_cpu and indices.is_cpu:
        try:
            return inputs.index_put(indices.unbind(-1), updates, accumulate=reduction == "add")
        except (IndexError, RuntimeError):  # the CPU kernel checks each index
            pass
    depth = indices.shape[-1]
    trailing = inputs.shape[depth:]
    linear, row_count = _linear_indices(indices, inputs.shape[:depth])
    rows = inputs.reshape(row_count, *trailing)
    count = indices.shape[:-1].numel()
    updates = updates.broadcast_to(indices.shape[:-1] + trailing).reshape(count, *trailing)
    return scatter_rows(rows, linear.flatten(), updates, reduction).reshape(inputs.shape)


def as_int64(x: Tensor) -> Tensor:
    if x.is_floating_point() or x.dtype is torch.bool:
        raise TypeError(f"indices of {x.dtype}")
    return x if x.dtype is torch.int64 else x.long()


def _linear_indices(indices: Tensor, sizes: torch.Size) -> tuple[Tensor, int]:
    """Returns the index of each row in the flattened axes; out of range, the number of rows."""
    if indices.shape[-1] != len(sizes):
        raise ValueError(f"{indices.shape[-1]} indices for {len(sizes)} axes")
    limits = torch.tensor(sizes, device=indices.device)
    indices = torch.where(indices < 0, indices + limits, indices)
    inside = ((indices >= 0) & (indices < limits)).all(-1)
    steps = [1]
    for size in reversed(sizes):
        steps.insert(0, steps[0] * size)
    strides = torch.tensor(steps[1:], device=indices.device)
    return torch.where(inside, (indices * strides).sum(-1), steps[0]), steps[0]


def scatter_rows(rows: Tensor, linear: Tensor, updates: Tensor, reduction: str | None) -> Tensor:
    """Scatters slices to rows; slices out of range go to an extra last row that is cut off."""
    padded = torch.cat((rows, rows.new_zeros((1, *rows.shape[1:]))))
    if reduction in (None, "add"):
        padded = padded.index_put((linear,), updates, accumulate=reduction == "add")
    else:
        linear = linear.reshape(-1, *(1 for _ in rows.shape[1:])).expand_as(updates)
        padded = _scatter_reduce(padded, 0, linear, updates, _REDUCTIONS[reduction])
    return padded[:-1]


_scatter_reduce = with_dtype_fallback(torch.scatter_reduce)
