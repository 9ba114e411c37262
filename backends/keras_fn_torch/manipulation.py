"""Array manipulation: shapes, axes, joining, splitting, padding, repetition."""

import builtins
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F

from keras_fn_torch.tensors import Axis, Tensor, axes_of


def roll(x: Tensor, shift: Any, axis: Axis = None) -> Tensor:
    """`torch.roll`, with shifts and axes broadcast to each other."""
    if axis is None:
        return x.roll(builtins.sum(shift) if isinstance(shift, (tuple, list)) else shift)
    axes = axes_of(x, axis)
    shifts = tuple(shift) if isinstance(shift, (tuple, list)) else (shift,)
    count = builtins.max(len(axes), len(shifts))
    return x.roll(
        shifts * (count if len(shifts) == 1 else 1), axes * (count if len(axes) == 1 else 1)
    )


def reshape(x: Tensor, newshape: Any) -> Tensor:
    """`Tensor.reshape`."""
    return x.reshape(newshape)


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """`Tensor.permute`."""
    return x.permute(tuple(range(x.dim() - 1, -1, -1)) if axes is None else tuple(axes))


def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """`Tensor.unsqueeze`, for one axis or several."""
    if isinstance(axis, int):
        return x.unsqueeze(axis)
    rank = x.dim() + len(axis)
    for i in sorted(range(rank)[a] for a in axis):
        x = x.unsqueeze(i)
    return x


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """`Tensor.squeeze`; raises for axes longer than 1, which PyTorch would skip."""
    if axis is None:
        return x.squeeze()
    axes = axes_of(x, axis)
    if builtins.any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"ops.squeeze: axis {axis} of shape {tuple(x.shape)} is not of size 1.")
    return x.squeeze(axes)


def concatenate(xs: Sequence[Tensor], axis: int | None = 0) -> Tensor:
    """`torch.cat`; flattens first for axis None."""
    if axis is None:
        return torch.cat([x.flatten() for x in xs])
    return torch.cat(xs, axis)


def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Splits into equal sections, or at indices."""
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if size % indices_or_sections:
            raise ValueError(
                f"ops.split: {indices_or_sections} does not divide size {size} of axis {axis}."
            )
        return list(x.split([size // indices_or_sections] * indices_or_sections, axis))
    indices = [int(i) for i in indices_or_sections]
    ends = [0, *indices, x.shape[axis]]
    sizes = [end - start for start, end in pairwise(ends)]
    # The gradient of `split` is one concatenation, of `tensor_split` a sum of padded parts.
    return list(x.tensor_split(indices, axis) if builtins.min(sizes) < 0 else x.split(sizes, axis))


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Returns the slices along an axis."""
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"{num} slices of {x.shape}")
    return list(x.unbind(axis))


def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    """`torch.tile`."""
    return x.tile((repeats,) if isinstance(repeats, int) else tuple(repeats))


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """`torch.repeat_interleave`, with a known output size, which saves a synchronization."""
    if isinstance(repeats, int):
        return torch.repeat_interleave(x, repeats, axis)
    counts = [int(n) for n in repeats]
    total = builtins.sum(counts) if len(counts) > 1 else None
    return torch.repeat_interleave(
        x, torch.tensor(counts, device=x.device), axis, output_size=total
    )


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """`torch.flip`."""
    return x.flip(axes_of(x, axis))


def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    """`torch.broadcast_to`."""
    return x.broadcast_to(tuple(shape))


def pad_nd(x: Tensor, widths: Sequence[tuple[int, int]], mode: str, value: float) -> Tensor:
    """`F.pad` for constants; other modes gather the elements to repeat."""
    if mode == "constant":
        pads = [n for pair in reversed(widths) for n in pair]
        while pads[-2:] == [0, 0]:  # PyTorch 2.6 refuses zero padding of an empty axis
            del pads[-2:]
        return F.pad(x, pads, value=value)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            size = x.shape[axis]
            if size == 0:
                raise ValueError("PyTorch repeats elements that are not there")
            positions = torch.arange(-before, size + after, device=x.device)
            x = x.index_select(axis, _PADDED[mode](positions, size))
    return x


_PADDED = {
    "edge": lambda i, n: i.clamp(0, n - 1),
    "reflect": lambda i, n: (n - 1) - ((i % max(2 * n - 2, 1)) - (n - 1)).abs(),
    "symmetric": lambda i, n: torch.where(i % (2 * n) < n, i % (2 * n), 2 * n - 1 - i % (2 * n)),
    "wrap": lambda i, n: i % n,
}  # the element that is at a position outside of an axis of n, by the mode
