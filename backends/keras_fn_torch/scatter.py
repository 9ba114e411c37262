"""Scatter: a copy of a tensor with updates at indices."""

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor

_AMOUNTS = {"max": "amax", "min": "amin", "mul": "prod", "add": "sum"}


def scatter_update(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None
) -> Tensor:
    """`index_put` where every index is in range, else a scatter that leaves the others out."""
    updates, indices = updates.to(inputs.dtype), as_int64(indices)
    if reduction in (None, "add") and inputs.is_cpu and indices.is_cpu:
        try:
            return inputs.index_put(indices.unbind(-1), updates, accumulate=reduction == "add")
        except (IndexError, RuntimeError):  # the CPU looks at each index anyway
            pass
    depth = indices.shape[-1]
    rest = inputs.shape[depth:]
    places, total = _linear_indices(indices, inputs.shape[:depth])
    rows = inputs.reshape(total, *rest)
    count = indices.shape[:-1].numel()
    updates = updates.broadcast_to(indices.shape[:-1] + rest).reshape(count, *rest)
    return scatter_rows(rows, places.flatten(), updates, reduction).reshape(inputs.shape)


def as_int64(x: Tensor) -> Tensor:
    if x.is_floating_point() or x.dtype is torch.bool:
        raise TypeError(f"indices of {x.dtype}")
    return x if x.dtype is torch.int64 else x.long()


def _linear_indices(indices: Tensor, sizes: torch.Size) -> tuple[Tensor, int]:
    """The index of each row in the flattened axes, or one too much where it is out of range."""
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


def scatter_rows(rows: Tensor, places: Tensor, updates: Tensor, reduction: str | None) -> Tensor:
    """Writes slices to rows; those for one row too much go to a last one that is cut off."""
    longer = torch.cat((rows, rows.new_zeros((1, *rows.shape[1:]))))
    if reduction in (None, "add"):
        longer = longer.index_put((places,), updates, accumulate=reduction == "add")
    else:
        places = places.reshape(-1, *(1 for _ in rows.shape[1:])).expand_as(updates)
        longer = _scatter_reduce(longer, 0, places, updates, _AMOUNTS[reduction])
    return longer[:-1]


_scatter_reduce = with_dtype_fallback(torch.scatter_reduce)
