"""Array manipulation: shapes, axes, joining, splitting, padding, repetition."""

import builtins
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from keras_fn_torch.tensors import Axis, Tensor, axes_of


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


def reshape(x: Tensor, newshape: Any) -> Tensor:
    """`Tensor.reshape`, which takes a single size too."""
    return x.reshape(newshape)


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """`Tensor.permute`."""
    return x.permute(tuple(range(x.dim() - 1, -1, -1)) if axes is None else tuple(axes))


def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """One axis or several."""
    if isinstance(axis, int):
        return x.unsqueeze(axis)
    rank = x.dim() + len(axis)
    for i in sorted(a % rank for a in axis):
        x = x.unsqueeze(i)
    return x


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """`torch.squeeze` would pass over axes that are longer than 1."""
    if axis is None:
        return x.squeeze()
    axes = axes_of(x, axis)
    if builtins.any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"ops.squeeze: axis {axis} of shape {tuple(x.shape)} is not of size 1.")
    return x.squeeze(axes)


def concatenate(xs: Sequence[Tensor], axis: int | None = 0) -> Tensor:
    """Flattens first for None."""
    if axis is None:
        return torch.cat([x.flatten() for x in xs])
    return torch.cat(xs, axis)


def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Parts of equal size, or between indices."""
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if size % indices_or_sections:
            raise ValueError(
                f"ops.split: {indices_or_sections} does not divide size {size} of axis {axis}."
            )
        return list(x.split([size // indices_or_sections] * indices_or_sections, axis))
    places = [int(i) for i in indices_or_sections]
    ends = [0, *places, x.shape[axis]]
    sizes = [end - start for start, end in pairwise(ends)]
    # `split` makes one gradient of those of the parts, `tensor_split` one for each and their sum.
    return list(x.tensor_split(places, axis) if builtins.min(sizes) < 0 else x.split(sizes, axis))


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis."""
    del num
    return list(x.unbind(axis))


def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    """`torch.tile`."""
    return x.tile((repeats,) if isinstance(repeats, int) else tuple(repeats))


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """`torch.repeat_interleave`; the size of the output is known, which saves a look at it."""
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
    """`F.pad` for constants. Other modes repeat elements, at indices that NumPy works out."""
    if mode == "constant":
        pads = [n for pair in reversed(widths) for n in pair]
        while pads[-2:] == [0, 0]:  # PyTorch 2.6 refuses no pads of an axis without elements
            del pads[-2:]
        return F.pad(x, pads, value=value)
    for axis, width in enumerate(widths):
        if width != (0, 0):
            places = np.pad(np.arange(x.shape[axis]), width, mode=mode)  # type: ignore[call-overload]
            x = x.index_select(axis, torch.as_tensor(places, device=x.device))
    return x
