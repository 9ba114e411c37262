"""Ops that write into a copy, reductions over segments, and places in tensors."""

import builtins
from typing import Any

import torch

from keras_fn_torch.axes import Axis, axes_of
from keras_fn_torch.refused import accepting
from keras_fn_torch.tensors import Tensor, native

_AMOUNTS = {"max": "amax", "min": "amin", "mul": "prod", "add": "sum"}


def scatter_update(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None
) -> Tensor:
    """`index_put` where every index is in range, else a scatter that leaves the others out."""
    updates, indices = updates.to(inputs.dtype), _integers(indices)
    if reduction in (None, "add") and inputs.is_cpu and indices.is_cpu:
        try:
            return inputs.index_put(indices.unbind(-1), updates, accumulate=reduction == "add")
        except (IndexError, RuntimeError):  # the CPU looks at each index anyway
            pass
    depth = indices.shape[-1]
    rest = inputs.shape[depth:]
    places, total = _places(indices, inputs.shape[:depth])
    rows = inputs.reshape(total, *rest)
    count = indices.shape[:-1].numel()
    updates = updates.broadcast_to(indices.shape[:-1] + rest).reshape(count, *rest)
    return _scattered(rows, places.flatten(), updates, reduction).reshape(inputs.shape)


def _integers(x: Tensor) -> Tensor:
    if x.is_floating_point() or x.dtype is torch.bool:
        raise TypeError(f"indices of {x.dtype}")
    return x if x.dtype is torch.int64 else x.long()


def _places(indices: Tensor, sizes: torch.Size) -> tuple[Tensor, int]:
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


def _scattered(rows: Tensor, places: Tensor, updates: Tensor, reduction: str | None) -> Tensor:
    """Writes slices to rows; those for one row too much go to a last one that is cut off."""
    longer = torch.cat((rows, rows.new_zeros((1, *rows.shape[1:]))))
    if reduction in (None, "add"):
        longer = longer.index_put((places,), updates, accumulate=reduction == "add")
    else:
        places = places.reshape(-1, *(1 for _ in rows.shape[1:])).expand_as(updates)
        longer = _scatter_reduce(longer, 0, places, updates, _AMOUNTS[reduction])
    return longer[:-1]


_scatter_reduce = accepting(torch.scatter_reduce)


def _segment(reduction: str, empty: Any) -> Any:
    def reduce(
        data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
    ) -> Tensor:
        del sorted
        ids = _integers(segment_ids)
        if ids.shape != data.shape[:1]:
            raise ValueError(f"{ids.shape} ids for data of shape {data.shape}")
        if num_segments is None:
            num_segments = int(ids.max()) + 1 if ids.numel() else 0
        ids = torch.where((ids < 0) | (ids > num_segments), num_segments, ids)
        rows = data.new_full((num_segments, *data.shape[1:]), empty(data.dtype))
        return _scattered(rows, ids, data, reduction)

    return reduce


def _lowest(dtype: torch.dtype) -> Any:
    if dtype.is_floating_point:
        return -float("inf")
    return False if dtype is torch.bool else torch.iinfo(dtype).min


def _highest(dtype: torch.dtype) -> Any:
    if dtype.is_floating_point:
        return float("inf")
    return True if dtype is torch.bool else torch.iinfo(dtype).max


segment_sum = _segment("add", lambda dtype: 0)
segment_prod = _segment("mul", lambda dtype: 1)
segment_max = _segment("max", _lowest)
segment_min = _segment("min", _highest)


def dynamic_slice(inputs: Tensor, starts: Any, sizes: Any) -> Tensor:
    """A view that begins at numbers, which are read from the device."""
    return inputs[_block(inputs, starts, sizes)]


def dynamic_slice_update(inputs: Tensor, starts: Any, updates: Tensor) -> Tensor:
    """A copy with a block written over."""
    result = inputs.clone()
    result[_block(inputs, starts, updates.shape)] = updates
    return result


def _block(x: Tensor, starts: Any, sizes: Any) -> tuple[slice, ...]:
    block = []
    for start, size, limit in zip(starts, sizes, x.shape, strict=True):
        begin = builtins.max(builtins.min(int(start), limit - size), 0)
        block.append(slice(begin, begin + size))
    return tuple(block)


def view(x: Tensor, dtype: Any = None) -> Tensor:
    """`Tensor.view`, of a contiguous tensor."""
    if dtype is None:
        return x
    plain = x.contiguous() if x.numel() else x.new_empty(x.shape)  # with strides of its shape
    return plain.view(native(dtype))


def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """Indices as int32."""
    if not x.dim():
        raise ValueError("a scalar")
    return tuple(i.int() for i in x.nonzero(as_tuple=True))


def roll(x: Tensor, shift: Any, axis: Axis = None) -> Tensor:
    """`torch.roll`, which wants as many shifts as axes."""
    if axis is None:
        return x.roll(builtins.sum(shift) if isinstance(shift, (tuple, list)) else shift)
    axes = axes_of(x, axis)
    shifts = tuple(shift) if isinstance(shift, (tuple, list)) else (shift,)
    count = builtins.max(len(axes), len(shifts))
    return x.roll(
        shifts * (count if len(shifts) == 1 else 1), axes * (count if len(axes) == 1 else 1)
    )


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """`torch.diagonal`."""
    return x.diagonal(offset, axis1, axis2)


def diag(x: Tensor, k: int = 0) -> Tensor:
    """`torch.diag`."""
    return x.diag(k)


_tril, _triu = accepting(torch.tril), accepting(torch.triu)


def tril(x: Tensor, k: int = 0) -> Tensor:
    """`torch.tril`."""
    return _tril(x, k)


def triu(x: Tensor, k: int = 0) -> Tensor:
    """`torch.triu`."""
    return _triu(x, k)


_inner = accepting(torch.inner)


def inner(x1: Any, x2: Any) -> Tensor:
    """`torch.inner`, which takes no numbers."""
    both = isinstance(x1, Tensor) and isinstance(x2, Tensor)
    return _inner(x1, x2) if both else x1 * x2
