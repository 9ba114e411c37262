"""Ops that put tensors together, take them apart and turn them about, after those of `shapes`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import Axis, normalize_axes, normalize_axis
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import minimum
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.shapes import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    part_sizes,
    ravel,
    reshape,
    split,
    swapaxes,
)

# ---------------------------------------------------------------- joins


@op
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Tensor:
    """Joins `x2` to the end of `x1`.

    Args:
        x1: Tensor of any shape.
        x2: Tensor of the shape of `x1` but for `axis`; of any shape where `axis` is None.
        axis: The axis along which they are joined; None joins them flattened.

    Example:
        >>> convert_to_numpy(append([1, 2], [[3], [4]])).tolist()
        [1, 2, 3, 4]
    """
    return concatenate([x1, x2], axis=axis)


def _rank(x: Tensor) -> int:
    return len(spec_of(x).shape)


def _at_least_1d(x: Tensor) -> Tensor:
    return x if _rank(x) else reshape(x, (1,))


def _at_least_2d(x: Tensor) -> Tensor:
    x = _at_least_1d(x)
    return x if _rank(x) > 1 else expand_dims(x, 0)


@op
def hstack(xs: Sequence[Tensor]) -> Tensor:
    """Joins tensors along the second axis, those of rank 1 along the first.

    Example:
        >>> convert_to_numpy(hstack([[1, 2], [3]])).tolist()
        [1, 2, 3]
    """
    wide = [_at_least_1d(x) for x in xs]
    return concatenate(wide, axis=0 if _rank(wide[0]) == 1 else 1)


@op
def vstack(xs: Sequence[Tensor]) -> Tensor:
    """Joins tensors along the first axis; one of rank 1 is a row.

    Example:
        >>> convert_to_numpy(vstack([[1, 2], [3, 4]])).tolist()
        [[1, 2], [3, 4]]
    """
    return concatenate([_at_least_2d(x) for x in xs], axis=0)


@op
def dstack(xs: Sequence[Tensor]) -> Tensor:
    """Joins tensors along the third axis, which those of a lower rank get.

    Example:
        >>> convert_to_numpy(dstack([[1, 2], [3, 4]])).tolist()
        [[[1, 3], [2, 4]]]
    """
    deep = [x if _rank(x) > 2 else expand_dims(_at_least_2d(x), 2) for x in xs]
    return concatenate(deep, axis=2)


# ---------------------------------------------------------------- splits


def _part_edges(size: int, parts: int) -> list[int]:
    """Where `size` elements are cut into parts, the first of which may be longer by one."""
    least, longer = divmod(size, parts)
    return [i * least + min(i, longer) for i in range(parts + 1)]


def _array_split(x: Spec, indices_or_sections: Any, axis: int = 0) -> list[Spec]:
    place = normalize_axis(axis, len(x.shape), "ops.array_split")
    size, parts = x.shape[place], indices_or_sections
    if isinstance(parts, int) and parts < 1:
        raise SpecError(
            "ops.array_split", expected="one part or more", given=f"indices_or_sections={parts}",
            fix="say how many parts, or at which indices to split",
        )  # fmt: skip
    edges: Any = [0, *parts, size] if not isinstance(parts, int) else [0] * (parts + 1)
    if isinstance(parts, int) and size is not None:
        edges = _part_edges(size, parts)
    sizes = part_sizes(size, edges)
    return [Spec((*x.shape[:place], n, *x.shape[place + 1 :]), x.dtype) for n in sizes]


@op(rule=Rule(_array_split))
def array_split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> Any:
    """Splits along `axis` into parts that need not be equal.

    Args:
        x: Tensor of rank 1 or more.
        indices_or_sections: How many parts, the first of which are longer by one where the size
            cannot be divided; or the indices before which to split.
        axis: The axis.

    Returns:
        A list of tensors.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    size, parts = shape_of(x)[axis], indices_or_sections
    if isinstance(size, int):
        return split(x, _part_edges(size, parts)[1:-1], axis)
    before = (slice(None),) * normalize_axis(axis, _rank(x))
    least, longer = size // parts, size % parts  # tensors: a graph that does not know its sizes
    edges = [i * least + minimum(i, longer) for i in range(parts + 1)]
    return [getitem(x, (*before, slice(a, b))) for a, b in pairwise(edges)]


def _need_rank(x: Tensor, rank: int, who: str) -> None:
    if _rank(x) < rank:
        raise SpecError(
            who, expected=f"a tensor of rank {rank} or more", given=f"shape {spec_of(x).shape}",
            fix="add axes with ops.expand_dims",
        )  # fmt: skip


@op
def hsplit(x: Tensor, indices_or_sections: Any) -> Any:
    """Splits along the second axis, or the only one; see `split`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in hsplit([[1, 2], [3, 4]], 2)]
        [[[1], [3]], [[2], [4]]]
    """
    _need_rank(x, 1, "ops.hsplit")
    return split(x, indices_or_sections, axis=0 if _rank(x) == 1 else 1)


@op
def vsplit(x: Tensor, indices_or_sections: Any) -> Any:
    """Splits a tensor of rank 2 or more along the first axis; see `split`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in vsplit([[1, 2], [3, 4]], 2)]
        [[[1, 2]], [[3, 4]]]
    """
    _need_rank(x, 2, "ops.vsplit")
    return split(x, indices_or_sections, axis=0)


@op
def dsplit(x: Tensor, indices_or_sections: Any) -> Any:
    """Splits a tensor of rank 3 or more along the third axis; see `split`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in dsplit([[[1, 2]]], 2)]
        [[[[1]]], [[[2]]]]
    """
    _need_rank(x, 3, "ops.dsplit")
    return split(x, indices_or_sections, axis=2)


# ---------------------------------------------------------------- turns


@op
def fliplr(x: Tensor) -> Tensor:
    """Reverses the order of the columns, the second axis.

    Example:
        >>> convert_to_numpy(fliplr([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
    """
    _need_rank(x, 2, "ops.fliplr")
    return flip(x, axis=1)


@op
def flipud(x: Tensor) -> Tensor:
    """Reverses the order of the rows, the first axis.

    Example:
        >>> convert_to_numpy(flipud([[1, 2], [3, 4]])).tolist()
        [[3, 4], [1, 2]]
    """
    _need_rank(x, 1, "ops.flipud")
    return flip(x, axis=0)


@op
def rot90(array: Tensor, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """Turns by 90 degrees in the plane of two axes, from the first towards the second.

    Args:
        array: Tensor of rank 2 or more.
        k: How many times.
        axes: The plane.

    Example:
        >>> convert_to_numpy(rot90([[1, 2], [3, 4]])).tolist()
        [[2, 4], [1, 3]]
    """
    _need_rank(array, 2, "ops.rot90")
    plane = normalize_axes(tuple(axes), _rank(array), "ops.rot90")
    if len(plane) != 2 or plane[0] == plane[1]:
        raise SpecError(
            "ops.rot90", expected="two different axes", given=f"axes={tuple(axes)}",
            fix="name the plane to turn in, for example axes=(0, 1)",
        )  # fmt: skip
    first, second = plane
    turns = k % 4
    if turns == 0:
        return array
    if turns == 2:
        return flip(array, (first, second))
    if turns == 1:
        return swapaxes(flip(array, second), first, second)
    return flip(swapaxes(array, first, second), second)


def _shifts(shift: Any, axis: Axis, rank: int) -> list[tuple[int, Any]]:
    """Pairs (axis, shift); one of the two may be for all."""
    axes = normalize_axes(axis, rank, "ops.roll")
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(axes)
    axes = axes * len(shifts) if len(axes) == 1 else axes
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    if len(shifts) != len(axes):
        raise SpecError(
            "ops.roll", expected="a shift for each axis", given=f"shift={shift}, axis={axis}",
            fix="give as many shifts as axes",
        )  # fmt: skip
    return list(zip(axes, shifts, strict=True))


def _roll(x: Spec, shift: Any, axis: Axis = None) -> Spec:
    _shifts(shift, 0 if axis is None else axis, max(len(x.shape), 1))
    return x


@op(rule=Rule(_roll))
def roll(x: Tensor, shift: Any, axis: Axis = None) -> Tensor:
    """Moves elements along axes; those that leave at one end come back at the other.

    Args:
        x: Tensor of any shape.
        shift: By how many places, or one number for each axis.
        axis: An axis or several; None rolls the flattened tensor and keeps its shape.

    Example:
        >>> convert_to_numpy(roll([1, 2, 3, 4], 1)).tolist()
        [4, 1, 2, 3]
    """
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), shape_of(x))
    for place, by in _shifts(shift, axis, _rank(x)):
        before, size = (slice(None),) * place, shape_of(x)[place]
        if size == 0:
            continue
        cut = (-by) % size
        head, tail = getitem(x, (*before, slice(cut))), getitem(x, (*before, slice(cut, None)))
        x = concatenate([tail, head], axis=place)
    return x


def _meshgrid(*x: Spec, indexing: str = "xy") -> list[Spec]:
    if indexing not in ("xy", "ij"):
        raise SpecError(
            "ops.meshgrid", expected="'xy' or 'ij'", given=f"indexing={indexing!r}",
            fix="'xy' lets the first tensor run along the second axis, 'ij' along the first",
        )  # fmt: skip
    if any(len(v.shape) > 1 for v in x):
        raise SpecError(
            "ops.meshgrid", expected="tensors of rank 1",
            given=", ".join(str(v.shape) for v in x), fix="flatten them with ops.ravel",
        )  # fmt: skip
    sizes: Shape = tuple(v.shape[0] if v.shape else 1 for v in x)
    if indexing == "xy":
        sizes = (*sizes[1::-1], *sizes[2:])
    return [Spec(sizes, dtypes.result_type(v.dtype)) for v in x]


@op(rule=Rule(_meshgrid))
def meshgrid(*x: Tensor, indexing: str = "xy") -> Any:
    """The coordinates of a grid: for each tensor its elements along one axis of it.

    Args:
        *x: Tensors of shape `(n,)`, `(m,)` …: the places along each axis.
        indexing: `"ij"` for grids of shape `(n, m, ...)`, `"xy"` for `(m, n, ...)`.

    Returns:
        A list of as many tensors.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in meshgrid([1, 2], [3, 4])]
        [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    _meshgrid(*map(spec_of, x), indexing=indexing)
    places = list(range(len(x)))
    if indexing == "xy":
        places[:2] = places[1::-1]
    sizes: list[Any] = [1] * len(x)
    for place, v in zip(places, x, strict=True):
        sizes[place] = shape_of(v)[0] if _rank(v) else 1
    grids = []
    for place, v in zip(places, x, strict=True):
        along = [1] * len(x)
        along[place] = sizes[place]
        grids.append(broadcast_to(reshape(v, along), sizes))
    return grids
