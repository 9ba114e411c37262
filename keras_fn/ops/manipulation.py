"""Array manipulation: reshape, transpose, join, split, pad, tile, flip, roll."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor, Shape
from keras_fn.core.memoize import memoize
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import Axis, normalize_axes, normalize_axis, product
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.types import Tensor, TensorLike


def _need_rank(x: Tensor, rank: int, who: str) -> None:
    if _rank(x) < rank:
        raise SpecError(
            who,
            expected=f"a tensor of rank {rank} or more",
            received=f"shape {spec_of(x).shape}",
            fix="add axes with ops.expand_dims",
        )


# ---------------------------------------------------------------- turns


@op
def fliplr(x: TensorLike) -> Tensor:
    """Reverses the order of the columns, the second axis.

    Example:
        >>> convert_to_numpy(fliplr([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
    """
    _need_rank(x, 2, "ops.fliplr")
    return flip(x, axis=1)


@op
def flipud(x: TensorLike) -> Tensor:
    """Reverses the order of the rows, the first axis.

    Example:
        >>> convert_to_numpy(flipud([[1, 2], [3, 4]])).tolist()
        [[3, 4], [1, 2]]
    """
    _need_rank(x, 1, "ops.flipud")
    return flip(x, axis=0)


@op
def rot90(array: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
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
            "ops.rot90",
            expected="two different axes",
            received=f"axes={tuple(axes)}",
            fix="name the plane to turn in, for example axes=(0, 1)",
        )
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
            "ops.roll",
            expected="a shift for each axis",
            received=f"shift={shift}, axis={axis}",
            fix="give as many shifts as axes",
        )
    return list(zip(axes, shifts, strict=True))


def _roll(x: TensorSpec, shift: Any, axis: Axis = None) -> TensorSpec:
    _shifts(shift, 0 if axis is None else axis, max(len(x.shape), 1))
    return x


@op(rule=Rule(_roll))
def roll(x: TensorLike, shift: Any, axis: Axis = None) -> Tensor:
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


def _reshape(x: TensorSpec, newshape: Any) -> TensorSpec:
    sizes = [newshape] if isinstance(newshape, int) else list(newshape)
    sizes = [None if isinstance(size, KerasTensor) else size for size in sizes]
    total = product(x.shape)
    known = product([size for size in sizes if size not in (-1, None)])
    if sizes.count(-1) > 1:
        raise _misfit(x, newshape, "at most one size of -1")
    if total is not None and None not in sizes and known is not None:
        if -1 in sizes and (known == 0 or total % known):
            raise _misfit(x, newshape, f"sizes whose product divides {total}")
        if -1 not in sizes and total != known:
            raise _misfit(x, newshape, f"sizes whose product is {total}")
        sizes = [total // known if size == -1 else size for size in sizes]
    return TensorSpec(tuple(None if size == -1 else size for size in sizes), x.dtype)


def _misfit(x: TensorSpec, newshape: Any, expected: str) -> SpecError:
    return SpecError(
        "ops.reshape",
        expected=expected,
        received=f"newshape {tuple(newshape)} for a tensor of shape {x.shape}",
        fix="count the elements, or let one size be -1",
    )


@op(rule=Rule(_reshape))
def reshape(x: TensorLike, newshape: Any) -> Tensor:
    """Gives the elements, in the same order, a new shape; one size may be -1, to be worked out.

    Example:
        >>> convert_to_numpy(reshape([[1, 2], [3, 4]], (-1,))).tolist()
        [1, 2, 3, 4]
    """
    ...


def _transpose(x: TensorSpec, axes: Sequence[int] | None = None) -> TensorSpec:
    order = range(len(x.shape))[::-1] if axes is None else normalize_axes(axes, len(x.shape))
    if sorted(order) != list(range(len(x.shape))):
        raise SpecError(
            "ops.transpose",
            expected=f"each of the {len(x.shape)} axes once",
            received=f"axes={tuple(order)} for a tensor of shape {x.shape}",
            fix="name every axis of the tensor",
        )
    return TensorSpec(tuple(x.shape[i] for i in order), x.dtype)


@op(rule=Rule(_transpose))
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Puts the axes in the order `axes`; reverses them for None.

    Example:
        >>> transpose(zeros((2, 3))).shape == (3, 2)
        True
    """
    ...


def _expand_dims(x: TensorSpec, axis: Any) -> TensorSpec:
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = len(x.shape) + len(axes)
    places = set(normalize_axes(axes, rank, "ops.expand_dims"))
    sizes = iter(x.shape)
    return TensorSpec(tuple(1 if i in places else next(sizes) for i in range(rank)), x.dtype)


@op(rule=Rule(_expand_dims))
def expand_dims(x: TensorLike, axis: Any) -> Tensor:
    """Adds axes of size 1 at the positions `axis` of the result.

    Example:
        >>> expand_dims(zeros((2, 3)), -1).shape == (2, 3, 1)
        True
    """
    ...


def _squeeze(x: TensorSpec, axis: Axis = None) -> TensorSpec:
    if axis is None:
        return TensorSpec(tuple(size for size in x.shape if size != 1), x.dtype)
    axes = normalize_axes(axis, len(x.shape), "ops.squeeze")
    for i in axes:
        if x.shape[i] not in (1, None):
            raise SpecError(
                "ops.squeeze",
                expected=f"size 1 at axis {i}",
                received=f"shape {x.shape}",
                fix="squeeze axes of size 1 only",
            )
    return TensorSpec(tuple(size for i, size in enumerate(x.shape) if i not in axes), x.dtype)


@op(rule=Rule(_squeeze))
def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """Removes axes of size 1: those in `axis`, or all.

    Example:
        >>> squeeze(zeros((2, 1, 3)), axis=1).shape == (2, 3)
        True
    """
    ...


def _tile(x: TensorSpec, repeats: Any) -> TensorSpec:
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = builtins.max(len(repeats), len(x.shape))
    repeats = [1] * (rank - len(repeats)) + repeats
    shape = (1,) * (rank - len(x.shape)) + tuple(x.shape)
    return TensorSpec(tuple(product(pair) for pair in zip(shape, repeats, strict=True)), x.dtype)


@op(rule=Rule(_tile))
def tile(x: TensorLike, repeats: Any) -> Tensor:
    """Repeats the whole tensor `repeats` times along each axis.

    Example:
        >>> convert_to_numpy(tile([1, 2], 2)).tolist()
        [1, 2, 1, 2]
    """
    ...


def _repeat(x: TensorSpec, repeats: Any, axis: int | None = None) -> TensorSpec:
    shape: Shape = (product(x.shape),) if axis is None else x.shape
    place = normalize_axis(axis or 0, len(shape), "ops.repeat")
    size = shape[place]
    if isinstance(repeats, int):
        size = None if size is None else size * repeats
    else:
        size = builtins.sum(repeats)
    return TensorSpec((*shape[:place], size, *shape[place + 1 :]), x.dtype)


@op(rule=Rule(_repeat))
def repeat(x: TensorLike, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeats each element `repeats` times along `axis`; in the flattened tensor for None.

    Example:
        >>> convert_to_numpy(repeat([1, 2], 2)).tolist()
        [1, 1, 2, 2]
    """
    ...


def _flip(x: TensorSpec, axis: Axis = None) -> TensorSpec:
    normalize_axes(axis, len(x.shape), "ops.flip")
    return x


@op(rule=Rule(_flip))
def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """Reverses the order along `axis`, or along all axes.

    Example:
        >>> convert_to_numpy(flip([1, 2, 3])).tolist()
        [3, 2, 1]
    """
    ...


def _broadcast_to(x: TensorSpec, shape: Any) -> TensorSpec:
    sizes = tuple(None if isinstance(size, KerasTensor) else size for size in shape)
    extra = len(sizes) - len(x.shape)
    pairs = zip(x.shape, sizes[builtins.max(extra, 0) :], strict=False)
    if extra < 0 or builtins.any(a not in (1, None, b) and b is not None for a, b in pairs):
        raise SpecError(
            "ops.broadcast_to",
            expected="a shape that the tensor's own reaches by repeating axes of size 1",
            received=f"shape {sizes} for a tensor of shape {x.shape}",
            fix="check the shape, or add axes with ops.expand_dims",
        )
    return TensorSpec(sizes, x.dtype)


@op(rule=Rule(_broadcast_to))
def broadcast_to(x: TensorLike, shape: Any) -> Tensor:
    """Repeats axes of size 1 (and adds some in front) until the shape is `shape`.

    Example:
        >>> convert_to_numpy(broadcast_to([1, 2], (2, 2))).tolist()
        [[1, 2], [1, 2]]
    """
    ...


def pad_widths(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    """Returns `pad_width` as a pair (before, after) for each axis."""
    if isinstance(pad_width, int):
        return [(pad_width, pad_width)] * rank
    pairs = list(pad_width)
    if len(pairs) == 2 and builtins.all(isinstance(p, int) for p in pairs):
        return [tuple(pairs)] * rank
    pairs = [(p, p) if isinstance(p, int) else tuple(p) for p in pairs]
    return pairs * rank if len(pairs) == 1 else pairs


_PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


@memoize
def _checked_widths(
    shape: Shape, pad_width: Any, mode: str, constant_values: Any
) -> list[tuple[int, int]]:
    """Returns a pair for each axis, if the arguments of `pad` fit."""
    widths = pad_widths(pad_width, len(shape))
    if len(widths) != len(shape) or builtins.any(n < 0 for pair in widths for n in pair):
        raise SpecError(
            "ops.pad",
            expected=f"a pair of numbers from 0 on for each of the {len(shape)} axes",
            received=f"pad_width={widths}",
            fix="give (0, 0) for axes that stay",
        )
    if mode not in _PAD_MODES or (constant_values is not None and mode != "constant"):
        raise SpecError(
            "ops.pad",
            expected=f"one of the modes {', '.join(_PAD_MODES)}; constant_values with the first",
            received=f"mode={mode!r}, constant_values={constant_values}",
            fix="drop constant_values, or pad with mode='constant'",
        )
    empty = [i for i, n in enumerate(shape) if n == 0 and mode != "constant" and any(widths[i])]
    if empty:
        raise SpecError(
            "ops.pad",
            expected=f"an element along axis {empty[0]}, which {mode!r} can repeat",
            received=f"shape {shape}",
            fix="pad with mode='constant'",
        )
    return widths


def _padded(x: TensorSpec, widths: list[tuple[int, int]], mode: str, value: float) -> TensorSpec:
    sizes = zip(x.shape, widths, strict=True)
    return TensorSpec(tuple(None if n is None else n + a + b for n, (a, b) in sizes), x.dtype)


@op(rule=Rule(_padded))
def pad_nd(x: TensorLike, widths: list[tuple[int, int]], mode: str, value: float) -> Tensor:
    """What `pad` does, after it has checked its arguments."""
    ...


@op
def pad(
    x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None
) -> Tensor:
    """Adds elements before and after each axis.

    Args:
        x: Tensor of any shape.
        pad_width: A pair (before, after) for each axis, one pair for all, or one number.
        mode: `"constant"`, or what is repeated: `"edge"` the elements at the ends, `"reflect"`
            those beside them as in a mirror, `"symmetric"` the ends too, `"wrap"` those at the
            other end.
        constant_values: What is added in mode `"constant"`; 0 by default.

    Example:
        >>> convert_to_numpy(pad([1, 2], (1, 1))).tolist()
        [0, 1, 2, 0]
    """
    widths = _checked_widths(spec_of(x).shape, pad_width, mode, constant_values)
    return pad_nd(x, widths, mode, constant_values or 0)


@op
def moveaxis(x: TensorLike, source: Any, destination: Any) -> Tensor:
    """Moves the axes `source` to the positions `destination`; the others keep their order.

    Example:
        >>> moveaxis(zeros((2, 3, 4)), 0, -1).shape == (3, 4, 2)
        True
    """
    rank = len(x.shape)
    source = normalize_axes(source, rank, "ops.moveaxis")
    destination = normalize_axes(destination, rank, "ops.moveaxis")
    if len(set(source)) != len(set(destination)) or len(set(source)) < len(source):
        raise SpecError(
            "ops.moveaxis",
            expected="as many places as axes, each once",
            received=f"source={source}, destination={destination}",
            fix="name for each axis where it shall go",
        )
    order = [i for i in range(rank) if i not in source]
    for place, axis in sorted(zip(destination, source, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


@op
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Exchanges two axes.

    Example:
        >>> swapaxes(zeros((2, 3, 4)), 0, 2).shape == (4, 3, 2)
        True
    """
    order = list(range(len(x.shape)))
    a, b = normalize_axes((axis1, axis2), len(order), "ops.swapaxes")
    order[a], order[b] = b, a
    return transpose(x, order)


@op
def ravel(x: TensorLike) -> Tensor:
    """Returns the elements in one axis.

    Example:
        >>> convert_to_numpy(ravel([[1, 2], [3, 4]])).tolist()
        [1, 2, 3, 4]
    """
    return reshape(x, (-1,))


def _rank(x: Tensor) -> int:
    return len(spec_of(x).shape)


def _concatenate(xs: Sequence[TensorSpec], axis: int | None = 0) -> TensorSpec:
    dtype = dtypes.result_type(*(x.dtype for x in xs))
    if axis is None:
        sizes = [product(x.shape) for x in xs]
        return TensorSpec((None if None in sizes else builtins.sum(sizes),), dtype)  # type: ignore[arg-type]
    first = xs[0].shape
    axis = normalize_axis(axis, len(first), "ops.concatenate")
    shape = list(first)
    for x in xs[1:]:
        if len(x.shape) != len(first):
            raise _no_join(xs, axis)
        for i, (a, b) in enumerate(zip(shape, x.shape, strict=True)):
            if i == axis:
                shape[i] = None if a is None or b is None else a + b
            elif None not in (a, b) and a != b:
                raise _no_join(xs, axis)
            else:
                shape[i] = b if a is None else a
    return TensorSpec(tuple(shape), dtype)


def _no_join(xs: Sequence[TensorSpec], axis: int) -> SpecError:
    return SpecError(
        "ops.concatenate",
        expected=f"shapes that are equal but for axis {axis}",
        received=", ".join(str(x.shape) for x in xs),
        fix="reshape or pad the tensors, or join them along another axis",
    )


@op(rule=Rule(_concatenate, promote=dtypes.result_type))
def concatenate(xs: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Joins tensors along an axis that they have; flattened for None.

    Example:
        >>> convert_to_numpy(concatenate([[1, 2], [3]])).tolist()
        [1, 2, 3]
    """
    ...


def _stack(xs: Sequence[TensorSpec], axis: int = 0) -> TensorSpec:
    shape = list(xs[0].shape)
    for x in xs[1:]:
        if len(x.shape) != len(shape) or any_differ(shape, x.shape):
            raise SpecError(
                "ops.stack",
                expected="tensors of one shape",
                received=", ".join(str(t.shape) for t in xs),
                fix="reshape or pad the tensors",
            )
        shape = [b if a is None else a for a, b in zip(shape, x.shape, strict=True)]
    shape.insert(normalize_axis(axis, len(shape) + 1, "ops.stack"), len(xs))
    return TensorSpec(tuple(shape), dtypes.result_type(*(x.dtype for x in xs)))


def any_differ(a: Sequence[int | None], b: Sequence[int | None]) -> bool:
    """Whether two shapes of one rank differ in a size that both know."""
    return any(p != q for p, q in zip(a, b, strict=True) if None not in (p, q))


@op(rule=Rule(_stack, promote=dtypes.result_type))
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Joins tensors of one shape along a new axis.

    Example:
        >>> convert_to_numpy(stack([[1, 2], [3, 4]], axis=1)).tolist()
        [[1, 3], [2, 4]]
    """
    ...


def split_sizes(size: int | None, indices_or_sections: Any, who: str) -> list[int | None]:
    """Returns the sizes of the parts that `split` makes of an axis."""
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        if parts < 1 or (size is not None and size % parts):
            raise SpecError(
                who,
                expected=f"an axis whose size {parts} divides",
                received=f"size {size}",
                fix="give the indices at which to split",
            )
        return [None if size is None else size // parts] * parts
    return part_sizes(size, [0, *indices_or_sections, size])


def part_sizes(size: int | None, edges: Sequence[Any]) -> list[int | None]:
    """Returns the sizes of the slices between edges, as Python slices a sequence."""
    if size is None:
        return [None] * (len(edges) - 1)
    return [len(range(size)[a:b]) for a, b in pairwise(edges)]


def _split(x: TensorSpec, indices_or_sections: Any, axis: int = 0) -> list[TensorSpec]:
    axis = normalize_axis(axis, len(x.shape), "ops.split")
    sizes = split_sizes(x.shape[axis], indices_or_sections, "ops.split")
    return [TensorSpec((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype) for size in sizes]


@op(rule=Rule(_split))
def split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> Any:
    """Splits along `axis` into a list of that many equal parts, or before each of the indices.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in split([1, 2, 3, 4], 2)]
        [[1, 2], [3, 4]]
    """
    ...


def _unstack(x: TensorSpec, num: int | None = None, axis: int = 0) -> list[TensorSpec]:
    axis = normalize_axis(axis, len(x.shape), "ops.unstack")
    count = num if x.shape[axis] is None else x.shape[axis]
    if count is None:
        raise SpecError(
            "ops.unstack",
            expected="num, or an axis of known size",
            received=f"axis {axis} of shape {x.shape}",
            fix="pass num=",
        )
    return [TensorSpec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)] * count


@op(rule=Rule(_unstack))
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> Any:
    """Returns a list of the slices along `axis`, without it.

    Example:
        >>> [convert_to_numpy(row).tolist() for row in unstack([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
    """
    ...
