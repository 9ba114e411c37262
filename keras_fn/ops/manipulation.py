"""Array manipulation: reshape, transpose, join, split, pad, tile, flip, roll."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from keras_fn.core.keras_tensor import KerasTensor, Shape
from keras_fn.core.memoize import memoize
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import check_at_least, normalize_axes, normalize_axis, product
from keras_fn.ops.core import ndim
from keras_fn.types import Axis, ShapeLike, Tensor, TensorLike


def check_min_rank(x: TensorLike, rank: int, source: str) -> None:
    if ndim(x) < rank:
        raise SpecError(
            source,
            expected=f"a tensor of rank {rank} or more",
            received=f"shape {spec_of(x).shape}",
            fix="add axes with ops.expand_dims",
        )


def _reshape_spec(x: TensorSpec, newshape: ShapeLike) -> TensorSpec:
    sizes: list[Any] = [newshape] if isinstance(newshape, int) else list(newshape)
    sizes = [None if isinstance(size, KerasTensor) else size for size in sizes]
    total = product(x.shape)
    known = product([size for size in sizes if size not in (-1, None)])
    if sizes.count(-1) > 1:
        raise _reshape_error(x, newshape, "at most one size of -1")
    if total is not None and None not in sizes and known is not None:
        if -1 in sizes and (known == 0 or total % known):
            raise _reshape_error(x, newshape, f"sizes whose product divides {total}")
        if -1 not in sizes and total != known:
            raise _reshape_error(x, newshape, f"sizes whose product is {total}")
        sizes = [total // known if size == -1 else size for size in sizes]
    return TensorSpec(tuple(None if size == -1 else size for size in sizes), x.dtype)


def _reshape_error(x: TensorSpec, newshape: ShapeLike, expected: str) -> SpecError:
    return SpecError(
        "ops.reshape",
        expected=expected,
        received=f"newshape {newshape} for a tensor of shape {x.shape}",
        fix="check the number of elements, or pass -1 for one size",
    )


@op(rule=Rule(_reshape_spec))
def reshape(x: TensorLike, newshape: ShapeLike) -> Tensor:
    """Changes the shape of a tensor, keeping the order of its elements.

    Args:
        x: Tensor of any shape.
        newshape: Sizes of the axes. One of them may be -1: it is inferred.

    Returns:
        Tensor of the new shape, of the dtype of `x`.

    Raises:
        ValueError: The number of elements does not fit, or more than one size is -1.

    Example:
        >>> convert_to_numpy(reshape([[1, 2], [3, 4]], (-1,))).tolist()
        [1, 2, 3, 4]
    """
    ...


def _transpose_spec(x: TensorSpec, axes: Sequence[int] | None = None) -> TensorSpec:
    order = tuple(range(len(x.shape)))[::-1]
    if axes is not None:
        order = normalize_axes(axes, len(x.shape), "ops.transpose", "axes")
    if sorted(order) != list(range(len(x.shape))):
        raise SpecError(
            "ops.transpose",
            expected=f"each of the {len(x.shape)} axes once",
            received=f"axes={tuple(order)} for a tensor of shape {x.shape}",
            fix="pass a permutation of the axes",
        )
    return TensorSpec(tuple(x.shape[i] for i in order), x.dtype)


@op(rule=Rule(_transpose_spec))
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Permutes the axes.

    Args:
        x: Tensor of rank n.
        axes: Permutation of the axes; None reverses their order.

    Returns:
        Tensor whose axis i is the axis `axes[i]` of `x`.

    Raises:
        ValueError: `axes` is not a permutation of the axes.

    Example:
        >>> transpose(zeros((2, 3))).shape == (3, 2)
        True
    """
    ...


def _expand_dims_spec(x: TensorSpec, axis: int | Sequence[int]) -> TensorSpec:
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = len(x.shape) + len(axes)
    new_axes = set(normalize_axes(axes, rank, "ops.expand_dims"))
    sizes = iter(x.shape)
    return TensorSpec(tuple(1 if i in new_axes else next(sizes) for i in range(rank)), x.dtype)


@op(rule=Rule(_expand_dims_spec))
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """Inserts axes of size 1.

    Args:
        x: Tensor of any shape.
        axis: Index of the new axis in the result, or a sequence of indices.

    Returns:
        Tensor of the dtype of `x`, with the additional axes.

    Example:
        >>> expand_dims(zeros((2, 3)), -1).shape == (2, 3, 1)
        True
    """
    ...


def _squeeze_spec(x: TensorSpec, axis: Axis = None) -> TensorSpec:
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


@op(rule=Rule(_squeeze_spec))
def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """Removes axes of size 1.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to remove; None for all axes of size 1.

    Returns:
        Tensor of the dtype of `x`, without those axes.

    Raises:
        ValueError: An axis has a size other than 1.

    Example:
        >>> squeeze(zeros((2, 1, 3)), axis=1).shape == (2, 3)
        True
    """
    ...


def _tile_spec(x: TensorSpec, repeats: int | Sequence[int]) -> TensorSpec:
    check_at_least(0, repeats=repeats)
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = builtins.max(len(repeats), len(x.shape))
    repeats = [1] * (rank - len(repeats)) + repeats
    shape = (1,) * (rank - len(x.shape)) + tuple(x.shape)
    return TensorSpec(tuple(product(pair) for pair in zip(shape, repeats, strict=True)), x.dtype)


@op(rule=Rule(_tile_spec))
def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """Repeats the whole tensor along each axis.

    Args:
        x: Tensor of any shape.
        repeats: Number of repetitions, for the last axis or for each axis.

    Returns:
        Tensor of the dtype of `x`; each size is multiplied by its number of repetitions.

    Example:
        >>> convert_to_numpy(tile([1, 2], 2)).tolist()
        [1, 2, 1, 2]
    """
    ...


def _repeat_spec(
    x: TensorSpec, repeats: int | Sequence[int], axis: int | None = None
) -> TensorSpec:
    shape: Shape = (product(x.shape),) if axis is None else x.shape
    axis = normalize_axis(axis or 0, len(shape), "ops.repeat")
    size = shape[axis]
    check_at_least(0, repeats=repeats)
    counts = [repeats] if isinstance(repeats, int) else list(repeats)
    if len(counts) == 1:
        size = None if size is None else size * counts[0]
    elif size in (None, len(counts)):
        size = builtins.sum(counts)
    else:
        raise SpecError(
            "ops.repeat",
            expected=f"repeats: one number, or one for each of the {size} elements along the axis",
            received=f"{len(counts)} numbers",
            fix="pass one number for each element",
        )
    return TensorSpec((*shape[:axis], size, *shape[axis + 1 :]), x.dtype)


@op(rule=Rule(_repeat_spec))
def repeat(x: TensorLike, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Repeats each element along an axis.

    Args:
        x: Tensor of any shape.
        repeats: Number of repetitions, or one number for each element along the axis.
        axis: Axis to repeat along; None for the flattened tensor.

    Returns:
        Tensor of the dtype of `x`.

    Example:
        >>> convert_to_numpy(repeat([1, 2], 2)).tolist()
        [1, 1, 2, 2]
    """
    ...


def _broadcast_to_spec(x: TensorSpec, shape: Sequence[int | None]) -> TensorSpec:
    sizes = tuple(None if isinstance(size, KerasTensor) else size for size in shape)
    extra = len(sizes) - len(x.shape)
    pairs = zip(x.shape, sizes[builtins.max(extra, 0) :], strict=False)
    if extra < 0 or builtins.any(a not in (1, None, b) and b is not None for a, b in pairs):
        raise SpecError(
            "ops.broadcast_to",
            expected="a shape to which the tensor broadcasts",
            received=f"shape {sizes} for a tensor of shape {x.shape}",
            fix="check the shape, or add axes with ops.expand_dims",
        )
    return TensorSpec(sizes, x.dtype)


@op(rule=Rule(_broadcast_to_spec))
def broadcast_to(x: TensorLike, shape: Sequence[int | None]) -> Tensor:
    """Broadcasts a tensor to a shape: repeats axes of size 1 and adds leading axes.

    Args:
        x: Tensor of any shape.
        shape: Sizes of the axes of the result.

    Returns:
        Tensor of that shape, of the dtype of `x`.

    Raises:
        ValueError: `x` does not broadcast to that shape.

    Example:
        >>> convert_to_numpy(broadcast_to([1, 2], (2, 2))).tolist()
        [[1, 2], [1, 2]]
    """
    ...


def pad_widths(pad_width: int | Sequence[int | Sequence[int]], rank: int) -> list[tuple[int, int]]:
    """Returns `pad_width` as a pair `(before, after)` for each axis.

    Args:
        pad_width: A pair for each axis, one pair for all axes, or one number.
        rank: Number of axes.
    """
    if isinstance(pad_width, int):
        return [(pad_width, pad_width)] * rank
    pairs: list[Any] = list(pad_width)
    if len(pairs) == 2 and builtins.all(isinstance(p, int) for p in pairs):
        return [tuple(pairs)] * rank
    pairs = [(p, p) if isinstance(p, int) else tuple(p) for p in pairs]
    return pairs * rank if len(pairs) == 1 else pairs


_PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


@memoize
def _standardize_pad_width(
    shape: Shape, pad_width: Any, mode: str, constant_values: Any
) -> list[tuple[int, int]]:
    """Returns a pair of widths for each axis, after checking the arguments of `pad`."""
    widths = pad_widths(pad_width, len(shape))
    if len(widths) != len(shape) or builtins.any(n < 0 for pair in widths for n in pair):
        raise SpecError(
            "ops.pad",
            expected=f"a pair of non-negative numbers for each of the {len(shape)} axes",
            received=f"pad_width={widths}",
            fix="pass (0, 0) for axes without padding",
        )
    if mode not in _PAD_MODES or (constant_values is not None and mode != "constant"):
        raise SpecError(
            "ops.pad",
            expected=f"one of the modes {', '.join(_PAD_MODES)}; constant_values for the first",
            received=f"mode={mode!r}, constant_values={constant_values}",
            fix="omit constant_values, or use mode='constant'",
        )
    empty = [i for i, n in enumerate(shape) if n == 0 and mode != "constant" and any(widths[i])]
    if empty:
        raise SpecError(
            "ops.pad",
            expected=f"an element along axis {empty[0]}, which {mode!r} can repeat",
            received=f"shape {shape}",
            fix="use mode='constant'",
        )
    return widths


def _pad_spec(x: TensorSpec, widths: list[tuple[int, int]], mode: str, value: float) -> TensorSpec:
    sizes = zip(x.shape, widths, strict=True)
    return TensorSpec(tuple(None if n is None else n + a + b for n, (a, b) in sizes), x.dtype)


@op(rule=Rule(_pad_spec))
def pad_nd(x: TensorLike, widths: list[tuple[int, int]], mode: str, value: float) -> Tensor:
    """The primitive of `pad`, whose arguments have been checked.

    Args:
        x: Tensor of any shape.
        widths: A pair `(before, after)` for each axis.
        mode: See `pad`.
        value: Value of the padding in mode `"constant"`.

    Returns:
        Tensor of the dtype of `x`.
    """
    ...


@op
def pad(
    x: TensorLike,
    pad_width: int | Sequence[int | Sequence[int]],
    mode: str = "constant",
    constant_values: float | None = None,
) -> Tensor:
    """Pads a tensor: adds elements before and after each axis.

    Args:
        x: Tensor of any shape.
        pad_width: A pair `(before, after)` for each axis, one pair for all axes, or one number.
        mode: `"constant"` pads with `constant_values`, `"edge"` with the elements at the ends,
            `"reflect"` with the mirror image without the ends, `"symmetric"` with the mirror image
            including the ends, `"wrap"` with elements from the opposite end.
        constant_values: Value of the padding in mode `"constant"`; 0 by default.

    Returns:
        Tensor of the dtype of `x`.

    Raises:
        ValueError: `pad_width` does not fit the rank, or the mode is unknown.

    Example:
        >>> convert_to_numpy(pad([1, 2], (1, 1))).tolist()
        [0, 1, 2, 0]
    """
    widths = _standardize_pad_width(spec_of(x).shape, pad_width, mode, constant_values)
    return pad_nd(x, widths, mode, constant_values or 0)


@op
def moveaxis(
    x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]
) -> Tensor:
    """Moves axes to new positions; the other axes keep their order.

    Args:
        x: Tensor of any shape.
        source: Axis or axes to move.
        destination: Their indices in the result.

    Returns:
        Tensor of the dtype of `x` with permuted axes.

    Raises:
        ValueError: The numbers of axes differ, or an axis is named twice.

    Example:
        >>> moveaxis(zeros((2, 3, 4)), 0, -1).shape == (3, 4, 2)
        True
    """
    rank = ndim(x)
    source = normalize_axes(source, rank, "ops.moveaxis", "source")
    destination = normalize_axes(destination, rank, "ops.moveaxis", "destination")
    if len(source) != len(destination):
        raise SpecError(
            "ops.moveaxis",
            expected="as many destinations as axes, each once",
            received=f"source={source}, destination={destination}",
            fix="pass one destination for each axis",
        )
    order = [i for i in range(rank) if i not in source]
    for index, axis in sorted(zip(destination, source, strict=True)):
        order.insert(index, axis)
    return transpose(x, order)


@op
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Interchanges two axes.

    Args:
        x: Tensor of any shape.
        axis1: First axis.
        axis2: Second axis.

    Returns:
        Tensor of the dtype of `x` with the two axes interchanged.

    Example:
        >>> swapaxes(zeros((2, 3, 4)), 0, 2).shape == (4, 3, 2)
        True
    """
    order = list(range(ndim(x)))
    a = normalize_axis(axis1, len(order), "ops.swapaxes", "axis1")
    b = normalize_axis(axis2, len(order), "ops.swapaxes", "axis2")
    order[a], order[b] = b, a
    return transpose(x, order)


@op
def ravel(x: TensorLike) -> Tensor:
    """Flattens a tensor to rank 1.

    Example:
        >>> convert_to_numpy(ravel([[1, 2], [3, 4]])).tolist()
        [1, 2, 3, 4]
    """
    return reshape(x, (-1,))
