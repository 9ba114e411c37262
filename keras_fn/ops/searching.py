"""Ops that find: where elements hold, which differ, where they would stand in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import normalize_axis, product
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import (
    add,
    floor_divide,
    greater_equal,
    less,
    logical_and,
    mod,
    not_equal,
    subtract,
    where,
)
from keras_fn.ops.core import cast
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import arange, ones
from keras_fn.ops.indexing import argsort, getitem, take
from keras_fn.ops.reductions import any as any_
from keras_fn.ops.reductions import cumsum
from keras_fn.ops.segments import segment_min
from keras_fn.ops.shapes import concatenate, moveaxis, ravel, reshape
from keras_fn.ops.unary import isnan, logical_not


@op
def argpartition(x: Tensor, kth: Any, axis: int | None = -1) -> Tensor:
    """Indices (int32) that bring the element `kth` of the order to its place along `axis`.

    Before it come no larger elements, after it no smaller ones.

    Args:
        x: Tensor of rank 1 or more.
        kth: A place in the order, or several; negative ones count from the end.
        axis: The axis; None for the flattened tensor.

    Example:
        >>> order = convert_to_numpy(argpartition([3, 1, 2], 0))
        >>> int(order[0])
        1
    """
    shape = spec_of(x).shape
    place = None if axis is None else normalize_axis(axis, len(shape), "ops.argpartition")
    size = product(shape) if place is None else shape[place] if shape else 1
    for k in kth if isinstance(kth, (list, tuple)) else (kth,):
        if size is not None and not -size <= k < size:
            raise SpecError(
                "ops.argpartition", expected=f"kth from {-size} to {size - 1}",
                given=f"kth={k} for a tensor of shape {shape}", fix="choose a place that exists",
            )  # fmt: skip
    return argsort(x, axis=axis)  # a full order is a partition at every place


def _nonzero(x: Spec) -> tuple[Spec, ...]:
    if not x.shape:
        raise SpecError(
            "ops.nonzero", expected="a tensor of rank 1 or more", given="a scalar",
            fix="give it an axis with ops.reshape(x, (1,))",
        )  # fmt: skip
    return (Spec((None,), "int32"),) * len(x.shape)


@op(rule=Rule(_nonzero))
def nonzero(x: Tensor) -> Any:
    """Where the elements are not 0: for each axis the indices (int32), in row-major order.

    The size of the result depends on the values, so JAX cannot compile it.

    Example:
        >>> [convert_to_numpy(i).tolist() for i in nonzero([[0, 5], [7, 0]])]
        [[0, 1], [1, 0]]
    """
    _nonzero(spec_of(x))
    held = ravel(not_equal(x, 0))
    places = getitem(arange(shape_of(held)[0], dtype="int32"), held)
    return unravel_index(places, shape_of(x))


def _unravel_index(indices: Spec, shape: Any) -> tuple[Spec, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    return (Spec(indices.shape, dtypes.result_type(indices.dtype)),) * len(sizes)


@op(rule=Rule(_unravel_index))
def unravel_index(indices: Tensor, shape: Any) -> Any:
    """The indices along each axis that lead to the same element as those of the flattened tensor.

    Args:
        indices: Integers of any shape; negative ones count from the end. Those out of range are
            clipped.
        shape: Sizes of the tensor that they are for.

    Returns:
        A tuple with a tensor for each axis, of the shape and dtype of `indices`.

    Example:
        >>> [int(i) for i in unravel_index(5, (2, 3))]
        [1, 2]
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = dtypes.result_type(spec_of(indices).dtype)
    wide = dtypes.result_type(dtype, "int32")
    total: Any = 1
    for size in sizes:
        total = total * size
    rest = cast(indices, wide)
    rest = where(less(rest, 0), add(rest, total), rest)
    rest = where(less(rest, 0), 0, where(greater_equal(rest, total), subtract(total, 1), rest))
    found = []
    for size in reversed(sizes):
        found.append(cast(mod(rest, size), dtype))
        rest = floor_divide(rest, size)
    return tuple(reversed(found))


@op
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Tensor = 0) -> Tensor:
    """Each element from the choice that belongs to the first condition that holds there.

    Args:
        condlist: Booleans: tensors that broadcast with the choices.
        choicelist: As many tensors.
        default: What stands where no condition holds.

    Example:
        >>> x = convert_to_tensor([1, 2, 3, 4])
        >>> convert_to_numpy(select([x < 2, x > 3], [x * 10, x * 100], 0)).tolist()
        [10, 0, 0, 400]
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise SpecError(
            "ops.select", expected="as many choices as conditions, one or more",
            given=f"{len(condlist)} conditions and {len(choicelist)} choices",
            fix="give a choice for each condition, and default for the rest",
        )  # fmt: skip
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


# ---------------------------------------------------------------- unique


def _unique(
    x: Spec,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    del sorted, fill_value
    shape: Shape = (size,)
    inverse: Shape = x.shape
    if axis is not None:
        place = normalize_axis(axis, len(x.shape), "ops.unique")
        shape = (*x.shape[:place], size, *x.shape[place + 1 :])
        inverse = (x.shape[place],)
    if size is not None and size < 1:
        raise SpecError(
            "ops.unique", expected="a size of 1 or more", given=f"size={size}",
            fix="say how many elements to return, or leave size away",
        )  # fmt: skip
    wanted = (
        (True, Spec(shape, x.dtype)),
        (return_index, Spec((size,), "int32")),
        (return_inverse, Spec(inverse, "int32")),
        (return_counts, Spec((size,), "int32")),
    )
    return _one_or_all([spec for asked, spec in wanted if asked])


def _one_or_all(results: list[Any]) -> Any:
    return tuple(results) if len(results) > 1 else results[0]


@op(rule=Rule(_unique))
def unique(
    x: Tensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements, each once; NaN is one of them.

    Args:
        x: Tensor of any shape.
        sorted: Whether they have to come in rising order; they do in any case.
        return_index: Whether to return, too, where each stands first.
        return_inverse: Whether to return, too, which of them each element is.
        return_counts: Whether to return, too, how often each stands there.
        axis: Compare the slices along this axis; None for the elements of the flattened tensor.
        size: How many to return, so that the shape is known and the call can be compiled: those
            that are missing are filled up, more are left out.
        fill_value: What fills them up; 0 by default.

    Returns:
        The elements, or a tuple of them and what else was asked for (int32), in that order.
        Where filled up, counts are 0 and indices those of the first element.

    Example:
        >>> values, counts = unique([3, 1, 3], return_counts=True)
        >>> convert_to_numpy(values).tolist(), convert_to_numpy(counts).tolist()
        ([1, 3], [1, 2])
    """
    rows = ravel(x) if axis is None else moveaxis(x, axis, 0)
    count = shape_of(rows)[0]
    order = _order(rows)
    ordered = take(rows, order, axis=0)
    begins = _begins(ordered)
    group = subtract(cumsum(cast(begins, "int32")), 1)
    starts, present = _starts(begins, group, count, size)
    values = take(ordered, starts, axis=0)
    index = take(order, starts)
    counts = subtract(concatenate([starts[1:], [count]]), starts)
    if size is not None:
        values, index, counts = values[:size], index[:size], counts[:size]
        held = reshape(present[:size], (size, *(1 for _ in values.shape[1:])))
        values = where(held, values, cast(fill_value or 0, spec_of(x).dtype))
        index = where(present[:size], index, index[0])
    inverse = take(group, argsort(order))
    if axis is None:
        inverse = reshape(inverse, shape_of(x))
    else:
        values = moveaxis(values, 0, axis)
    asked = (True, return_index, return_inverse, return_counts)
    results = (values, index, inverse, cast(counts, "int32"))
    return _one_or_all([r for wanted, r in zip(asked, results, strict=True) if wanted])


def _order(rows: Tensor) -> Tensor:
    """The indices that sort slices by their first element, then by the second, and so on."""
    if len(rows.shape) == 1:
        return argsort(rows)
    count, *inner = shape_of(rows)
    width = math.prod(inner)
    columns = reshape(rows, (count, width))
    order = arange(count, dtype="int32")
    for j in reversed(range(width)):
        order = take(order, argsort(take(columns[:, j], order)))
    return order


def _begins(ordered: Tensor) -> Tensor:
    """Whether a slice differs from the one before; the first does."""
    a, b = ordered[1:], ordered[:-1]
    differ = not_equal(a, b)
    if dtypes.is_float(spec_of(ordered).dtype):
        differ = logical_and(differ, logical_not(logical_and(isnan(a), isnan(b))))
    if len(ordered.shape) > 1:
        differ = any_(differ, axis=tuple(range(1, len(ordered.shape))))
    first = ones((1,), dtype="bool")
    return concatenate([first, differ])[: shape_of(ordered)[0]]


def _starts(begins: Tensor, group: Tensor, count: Any, size: int | None) -> tuple[Tensor, Tensor]:
    """Where the groups begin, one more than `size`, and which of them there are."""
    if size is None:
        (starts,) = nonzero(begins)
        return starts, starts
    starts = segment_min(arange(count, dtype="int32"), group, num_segments=size + 1)
    return where(less(starts, count), starts, count), less(starts, count)
