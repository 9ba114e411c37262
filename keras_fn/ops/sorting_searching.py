"""Sorting, searching and set operations."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import normalize_axis, number_type, product
from keras_fn.ops.arithmetic import subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange, ones
from keras_fn.ops.indexing import getitem, take, take_along_axis, unravel_index
from keras_fn.ops.logic import (
    any as any_,
    equal,
    greater_equal,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    not_equal,
    where,
)
from keras_fn.ops.manipulation import concatenate, expand_dims, moveaxis, ravel, reshape
from keras_fn.ops.reductions import cumsum, sum as sum_
from keras_fn.ops.segments import segment_min
from keras_fn.types import Tensor, TensorLike


def _sort(x: TensorSpec, axis: int | None = -1) -> TensorSpec:
    return TensorSpec((product(x.shape),) if axis is None else x.shape, x.dtype)


@op(rule=Rule(_sort))
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Elements in rising order along `axis`, NaN last; flattened for None.

    Example:
        >>> convert_to_numpy(sort([3, 1, 2])).tolist()
        [1, 2, 3]
    """
    ...


@op(rule=Rule(lambda x, axis=-1: TensorSpec(_sort(x, axis).shape, "int32")))
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Indices (int32) that would sort `x` along `axis`; ties keep their order.

    Example:
        >>> convert_to_numpy(argsort([3, 1, 2])).tolist()
        [1, 2, 0]
    """
    ...


def _top_k(x: TensorSpec, k: int, sorted: bool = True) -> tuple[TensorSpec, TensorSpec]:
    shape = (*x.shape[:-1], k)
    return TensorSpec(shape, x.dtype), TensorSpec(shape, "int32")


@op(rule=Rule(_top_k))
def top_k(x: TensorLike, k: int, sorted: bool = True) -> Any:
    """The pair of the `k` largest elements of the last axis and their indices (int32).

    Args:
        x: Tensor of rank 1 or more.
        k: How many.
        sorted: Whether they come in falling order.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in top_k([1, 5, 3], 2)]
        [[5, 3], [1, 2]]
    """
    ...


@op
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the prediction for the target is among the `k` largest.

    Args:
        targets: Class indices of shape `(batch,)`.
        predictions: Scores of shape `(batch, classes)`.
        k: How many of the largest count.

    Example:
        >>> convert_to_numpy(in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1)).tolist()
        [True, False]
    """
    largest, _ = top_k(predictions, k)
    score = take_along_axis(predictions, expand_dims(cast(targets, "int32"), -1), axis=-1)
    return greater_equal(reshape(score, (-1,)), getitem(largest, (slice(None), k - 1)))


@op
def digitize(x: TensorLike, bins: Any) -> Tensor:
    """Index (int32) of the bin that each element falls in: the number of edges at or below it.

    Example:
        >>> convert_to_numpy(digitize([0.5, 2.5], [1.0, 2.0])).tolist()
        [0, 2]
    """
    # Not below, rather than at or above: NaN comes after all edges.
    return sum_(cast(logical_not(less(expand_dims(x, -1), bins)), "int32"), -1)


@op
def isin(
    x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element of `x1` is among those of `x2`.

    Args:
        x1: Tensor of any shape.
        x2: Tensor of any shape.
        assume_unique: Whether no element is in one tensor twice. It makes no difference here:
            all are compared with all.
        invert: Whether to say which elements are not among them.

    Returns:
        Booleans, of the shape of `x1`.

    Example:
        >>> convert_to_numpy(isin([1, 2], [2, 3])).tolist()
        [False, True]
    """
    del assume_unique
    found = any_(equal(expand_dims(x1, -1), reshape(x2, (-1,))), -1)
    return logical_not(found) if invert else found


@op
def argpartition(x: TensorLike, kth: Any, axis: int | None = -1) -> Tensor:
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
                "ops.argpartition",
                expected=f"kth from {-size} to {size - 1}",
                received=f"kth={k} for a tensor of shape {shape}",
                fix="choose a place that exists",
            )
    return argsort(x, axis=axis)  # a full order is a partition at every place


def _nonzero(x: TensorSpec) -> tuple[TensorSpec, ...]:
    if not x.shape:
        raise SpecError(
            "ops.nonzero",
            expected="a tensor of rank 1 or more",
            received="a scalar",
            fix="give it an axis with ops.reshape(x, (1,))",
        )
    return (TensorSpec((None,), "int32"),) * len(x.shape)


@op(rule=Rule(_nonzero))
def nonzero(x: TensorLike) -> Any:
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


# ---------------------------------------------------------------- unique


def _unique(
    x: TensorSpec,
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
            "ops.unique",
            expected="a size of 1 or more",
            received=f"size={size}",
            fix="say how many elements to return, or leave size away",
        )
    wanted = (
        (True, TensorSpec(shape, x.dtype)),
        (return_index, TensorSpec((size,), "int32")),
        (return_inverse, TensorSpec(inverse, "int32")),
        (return_counts, TensorSpec((size,), "int32")),
    )
    return _one_or_all([spec for asked, spec in wanted if asked])


def _one_or_all(results: list[Any]) -> Any:
    return tuple(results) if len(results) > 1 else results[0]


@op(rule=Rule(_unique))
def unique(
    x: TensorLike,
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


# ---------------------------------------------------------------- places in an order


def _searchsorted_spec(
    sorted_sequence: TensorSpec, values: TensorSpec, side: str = "left"
) -> TensorSpec:
    if len(sorted_sequence.shape) != 1:
        raise SpecError(
            "ops.searchsorted",
            expected="a sorted sequence of rank 1",
            received=f"shape {sorted_sequence.shape}",
            fix="search in one row after the other",
        )
    if side not in ("left", "right"):
        raise SpecError(
            "ops.searchsorted",
            expected="side='left' or side='right'",
            received=f"side={side!r}",
            fix="choose one of them",
        )
    return TensorSpec(values.shape, "int32")


@op(rule=Rule(_searchsorted_spec, promote=number_type))
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values would have to be put into a sequence, for it to stay in order.

    Args:
        sorted_sequence: Numbers in rising order, of shape `(n,)`.
        values: Numbers of any shape.
        side: "left" for the place before equal elements, "right" for that after them.

    Returns:
        The places (int32), from 0 to n, of the shape of `values`. NaN comes last.

    Raises:
        ValueError: The sequence has another rank, or the side is unknown.

    Example:
        >>> convert_to_numpy(searchsorted([1, 3, 5], [3, 6])).tolist()
        [1, 3]
    """
    _searchsorted_spec(spec_of(sorted_sequence), spec_of(values), side)
    value = expand_dims(values, -1)
    before = less if side == "left" else less_equal
    place = sum_(cast(before(sorted_sequence, value), "int32"), -1)
    return where(equal(values, values), place, shape_of(sorted_sequence)[0])
