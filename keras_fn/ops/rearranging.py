"""Rearranging elements: flip, roll, rotation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import normalize_axes, normalize_axis
from keras_fn.ops.core import convert_to_tensor, ndim, shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.ops.manipulation import check_min_rank, ravel, reshape, swapaxes
from keras_fn.types import Axis, Tensor, TensorLike


@op
def fliplr(x: TensorLike) -> Tensor:
    """Reverses the order of the columns: flips along axis 1.

    Example:
        >>> convert_to_numpy(fliplr([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
    """
    check_min_rank(x, 2, "ops.fliplr")
    return flip(x, axis=1)


@op
def flipud(x: TensorLike) -> Tensor:
    """Reverses the order of the rows: flips along axis 0.

    Example:
        >>> convert_to_numpy(flipud([[1, 2], [3, 4]])).tolist()
        [[3, 4], [1, 2]]
    """
    check_min_rank(x, 1, "ops.flipud")
    return flip(x, axis=0)


@op
def rot90(array: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """Rotates by 90 degrees in the plane of two axes, from the first toward the second axis.

    Args:
        array: Tensor of rank 2 or more.
        k: Number of rotations; negative to rotate in the opposite direction.
        axes: The two axes of the plane.

    Returns:
        Tensor of the dtype of `array`; the two axes are exchanged for odd `k`.

    Raises:
        ValueError: `array` has fewer than two axes, or the two axes are equal.

    Example:
        >>> convert_to_numpy(rot90([[1, 2], [3, 4]])).tolist()
        [[2, 4], [1, 3]]
    """
    check_min_rank(array, 2, "ops.rot90")
    plane = normalize_axes(tuple(axes), ndim(array), "ops.rot90", "axes")
    if len(plane) != 2 or plane[0] == plane[1]:
        raise SpecError(
            "ops.rot90",
            expected="two different axes",
            received=f"axes={tuple(axes)}",
            fix="pass the plane of the rotation, for example axes=(0, 1)",
        )
    first, second = plane
    rotations = k % 4
    if rotations == 0:
        return convert_to_tensor(array)
    if rotations == 2:
        return flip(array, (first, second))
    if rotations == 1:
        return swapaxes(flip(array, second), first, second)
    return flip(swapaxes(array, first, second), second)


def _shifts_by_axis(shift: int | Sequence[int], axis: Axis, rank: int) -> list[tuple[int, Any]]:
    """Returns pairs `(axis, shift)`; a single axis or shift is repeated."""
    given = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = tuple(normalize_axis(a, rank, "ops.roll") for a in given)  # one may be named twice
    shifts: list[Any] = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(axes)
    axes = axes * len(shifts) if len(axes) == 1 else axes
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    if len(shifts) != len(axes):
        raise SpecError(
            "ops.roll",
            expected="a shift for each axis",
            received=f"shift={shift}, axis={axis}",
            fix="pass as many shifts as axes",
        )
    return list(zip(axes, shifts, strict=True))


def _roll_spec(x: TensorSpec, shift: int | Sequence[int], axis: Axis = None) -> TensorSpec:
    _shifts_by_axis(shift, 0 if axis is None else axis, max(len(x.shape), 1))
    return x


@op(rule=Rule(_roll_spec))
def roll(x: TensorLike, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """Shifts elements along axes cyclically: those shifted beyond the end reappear at the start.

    Args:
        x: Tensor of any shape.
        shift: Number of positions to shift by, or one number for each axis.
        axis: Axis or axes to shift along; None shifts the flattened tensor and restores its shape.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        ValueError: The numbers of shifts and axes differ.

    Example:
        >>> convert_to_numpy(roll([1, 2, 3, 4], 1)).tolist()
        [4, 1, 2, 3]
    """
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), shape_of(x))
    x = convert_to_tensor(x)
    for i, steps in _shifts_by_axis(shift, axis, ndim(x)):
        before, size = (slice(None),) * i, shape_of(x)[i]
        if size == 0:
            continue
        cut = (-steps) % size
        head, tail = getitem(x, (*before, slice(cut))), getitem(x, (*before, slice(cut, None)))
        x = concatenate([tail, head], axis=i)
    return x


def _flip_spec(x: TensorSpec, axis: Axis = None) -> TensorSpec:
    normalize_axes(axis, len(x.shape), "ops.flip")
    return x


@op(rule=Rule(_flip_spec))
def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """Reverses the order of the elements along axes.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to flip; None for all of them.

    Returns:
        Tensor of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(flip([1, 2, 3])).tolist()
        [3, 2, 1]
    """
    ...
