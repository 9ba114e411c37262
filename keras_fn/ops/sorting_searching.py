"""Sorting, searching and set operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, overload

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import check_at_least, normalize_axis, number_type, product
from keras_fn.ops.arithmetic import subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange, ones
from keras_fn.ops.indexing import getitem, take, take_along_axis, unravel_index
from keras_fn.ops.joining_splitting import concatenate
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
from keras_fn.ops.manipulation import expand_dims, moveaxis, ravel, reshape
from keras_fn.ops.reductions import cumsum, sum as sum_
from keras_fn.ops.segments import segment_min
from keras_fn.types import Tensor, TensorLike


def _sort_spec(x: TensorSpec, axis: int | None = -1) -> TensorSpec:
    if axis is not None and x.shape:
        normalize_axis(axis, len(x.shape))
    return TensorSpec((product(x.shape),) if axis is None else x.shape, x.dtype)


@op(rule=Rule(_sort_spec))
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Sorts in ascending order along an axis; NaN is sorted to the end.

    Args:
        x: Tensor of any shape.
        axis: Axis to sort along; None for the flattened tensor.

    Returns:
        Tensor of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(sort([3, 1, 2])).tolist()
        [1, 2, 3]
    """
    ...


@op(rule=Rule(lambda x, axis=-1: TensorSpec(_sort_spec(x, axis).shape, "int32")))
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Indices that sort a tensor in ascending order along an axis; the sort is stable.

    Args:
        x: Tensor of any shape.
        axis: Axis to sort along; None for the flattened tensor.

    Returns:
        Int32 tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(argsort([3, 1, 2])).tolist()
        [1, 2, 0]
    """
    ...


def _top_k_spec(x: TensorSpec, k: int, sorted: bool = True) -> tuple[TensorSpec, TensorSpec]:
    size = x.shape[-1] if x.shape else 0
    if k < 0 or not x.shape or (size is not None and k > size):
        raise SpecError(
            "ops.top_k",
            expected="k: at most the size of the last axis",
            received=f"k={k} for a tensor of shape {x.shape}",
            fix="pass a smaller k=, or the tensor with another axis at the end",
        )
    shape = (*x.shape[:-1], k)
    return TensorSpec(shape, x.dtype), TensorSpec(shape, "int32")


@op(rule=Rule(_top_k_spec))
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements of the last axis, and their indices.

    Args:
        x: Tensor of rank 1 or more.
        k: Number of elements, at most the size of the last axis.
        sorted: Whether the elements are in descending order.

    Returns:
        `(values, indices)`, both of shape `(..., k)`; the indices are int32.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in top_k([1, 5, 3], 2)]
        [[5, 3], [1, 2]]
    """
    ...


@op
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Tests whether the score of the target class is among the `k` largest scores.

    Args:
        targets: Class indices of shape `(batch,)`.
        predictions: Scores of shape `(batch, classes)`.
        k: Number of largest scores to consider; all of them if there are fewer.

    Returns:
        Boolean tensor of shape `(batch,)`.

    Example:
        >>> convert_to_numpy(in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1)).tolist()
        [True, False]
    """
    check_at_least(1, "ops.in_top_k", k=k)
    classes = shape_of(predictions)[-1]
    k = min(k, classes) if isinstance(classes, int) else k
    largest, _ = top_k(predictions, k)
    score = take_along_axis(predictions, expand_dims(cast(targets, "int32"), -1), axis=-1)
    return greater_equal(reshape(score, (-1,)), getitem(largest, (slice(None), k - 1)))


@op
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """Index of the bin that each element falls into: the number of edges at or below it.

    Args:
        x: Tensor of any shape.
        bins: Edges of the bins in ascending order, of shape `(n,)`.

    Returns:
        Int32 tensor of the shape of `x`, from 0 to n; n for NaN.

    Raises:
        ValueError: `bins` is not of rank 1.

    Example:
        >>> convert_to_numpy(digitize([0.5, 2.5], [1.0, 2.0])).tolist()
        [0, 2]
    """
    if len(spec_of(bins).shape) != 1:
        raise SpecError(
            "ops.digitize",
            expected="bins of rank 1: their edges",
            received=f"shape {spec_of(bins).shape}",
            fix="pass the edges in ascending order",
        )
    # `not <` instead of `>=`, so that NaN comes after all edges.
    return sum_(cast(logical_not(less(expand_dims(x, -1), bins)), "int32"), -1)


@op
def isin(
    x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Tests whether each element of `x1` is among the elements of `x2`.

    Args:
        x1: Tensor of any shape.
        x2: Tensor of any shape.
        assume_unique: Ignored: both tensors may contain duplicates.
        invert: Whether to negate the result.

    Returns:
        Boolean tensor of the shape of `x1`.

    Example:
        >>> convert_to_numpy(isin([1, 2], [2, 3])).tolist()
        [False, True]
    """
    del assume_unique
    is_member = any_(equal(expand_dims(x1, -1), reshape(x2, (-1,))), -1)
    return logical_not(is_member) if invert else is_member


@op
def argpartition(x: TensorLike, kth: int | Sequence[int], axis: int | None = -1) -> Tensor:
    """Indices that partition a tensor around the `kth` smallest element along an axis.

    Elements before index `kth` are not larger, elements after it are not smaller.

    Args:
        x: Tensor of rank 1 or more.
        kth: Index in the sorted order, or several; negative indices count from the end.
        axis: Axis to partition along; None for the flattened tensor.

    Returns:
        Int32 tensor of the shape of `x`.

    Raises:
        ValueError: `kth` is out of range.

    Example:
        >>> order = convert_to_numpy(argpartition([3, 1, 2], 0))
        >>> int(order[0])
        1
    """
    shape = spec_of(x).shape
    index = None if axis is None else normalize_axis(axis, len(shape), "ops.argpartition")
    size = product(shape) if index is None else shape[index] if shape else 1
    for k in (kth,) if isinstance(kth, int) else kth:
        if size is not None and not -size <= k < size:
            raise SpecError(
                "ops.argpartition",
                expected=f"kth from {-size} to {size - 1}",
                received=f"kth={k} for a tensor of shape {shape}",
                fix="pass an index within the axis",
            )
    return argsort(x, axis=axis)  # sorted elements are partitioned at every index


def _nonzero_spec(x: TensorSpec) -> tuple[TensorSpec, ...]:
    if not x.shape:
        raise SpecError(
            "ops.nonzero",
            expected="a tensor of rank 1 or more",
            received="a scalar",
            fix="add an axis with ops.reshape(x, (1,))",
        )
    return (TensorSpec((None,), "int32"),) * len(x.shape)


@op(rule=Rule(_nonzero_spec))
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """Indices of the elements that are not 0, in row-major order.

    The size of the result depends on the values, so JAX cannot compile it.

    Returns:
        Tuple with an int32 tensor of shape `(n,)` for each axis.

    Raises:
        ValueError: `x` is a scalar.

    Example:
        >>> [convert_to_numpy(i).tolist() for i in nonzero([[0, 5], [7, 0]])]
        [[0, 1], [1, 0]]
    """
    _nonzero_spec(spec_of(x))
    mask = ravel(not_equal(x, 0))
    indices = getitem(arange(shape_of(mask)[0], dtype="int32"), mask)
    return unravel_index(indices, shape_of(x))


def _unique_spec(
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
        axis = normalize_axis(axis, len(x.shape), "ops.unique")
        shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
        inverse = (x.shape[axis],)
    if size is not None and size < 1:
        raise SpecError(
            "ops.unique",
            expected="a size of 1 or more",
            received=f"size={size}",
            fix="pass the number of elements to return, or omit size",
        )
    results = (
        (True, TensorSpec(shape, x.dtype)),
        (return_index, TensorSpec((size,), "int32")),
        (return_inverse, TensorSpec(inverse, "int32")),
        (return_counts, TensorSpec((size,), "int32")),
    )
    return _unwrap_single([spec for is_requested, spec in results if is_requested])


def _unwrap_single(results: list[Any]) -> Any:
    return tuple(results) if len(results) > 1 else results[0]


@overload
def unique(
    x: TensorLike,
    sorted: bool = ...,
    *,
    axis: int | None = ...,
    size: int | None = ...,
    fill_value: float | None = ...,
) -> Tensor: ...
@overload
def unique(
    x: TensorLike,
    sorted: bool = ...,
    return_index: bool = ...,
    return_inverse: bool = ...,
    return_counts: bool = ...,
    axis: int | None = ...,
    size: int | None = ...,
    fill_value: float | None = ...,
) -> Tensor | tuple[Tensor, ...]: ...
@op(rule=Rule(_unique_spec))
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: float | None = None,
) -> Any:
    """Unique elements of a tensor, in ascending order; NaN is one of them.

    Args:
        x: Tensor of any shape.
        sorted: Ignored: the elements are always sorted.
        return_index: Whether to return the index of the first occurrence of each element.
        return_inverse: Whether to return the indices that reconstruct `x` from the result.
        return_counts: Whether to return the number of occurrences of each element.
        axis: Axis whose slices are compared; None for the elements of the flattened tensor.
        size: Number of elements to return, so that the shape is static and the call can be
            compiled: missing elements are padded, excess ones are dropped.
        fill_value: Value of the padding; 0 by default.

    Returns:
        The unique elements, or a tuple of them and the requested int32 tensors, in the order of the
        arguments. For padding, counts are 0 and indices equal the index of the first element.

    Raises:
        ValueError: `size` is not positive.

    Example:
        >>> values, counts = unique([3, 1, 3], return_counts=True)
        >>> convert_to_numpy(values).tolist(), convert_to_numpy(counts).tolist()
        ([1, 3], [1, 2])
    """
    rows = ravel(x) if axis is None else moveaxis(x, axis, 0)
    count = shape_of(rows)[0]
    order = _lexicographic_order(rows)
    ordered = take(rows, order, axis=0)
    is_start = _starts_group(ordered)
    group = subtract(cumsum(cast(is_start, "int32")), 1)
    starts, present = _group_starts(is_start, group, count, size)
    values = take(ordered, starts, axis=0)
    index = take(order, starts)
    counts = subtract(concatenate([starts[1:], [count]]), starts)
    if size is not None:
        values, index, counts = values[:size], index[:size], counts[:size]
        is_present = reshape(present[:size], (size, *(1 for _ in values.shape[1:])))
        values = where(is_present, values, cast(fill_value or 0, spec_of(x).dtype))
        index = where(present[:size], index, index[0])
    inverse = take(group, argsort(order))
    if axis is None:
        inverse = reshape(inverse, shape_of(x))
    else:
        values = moveaxis(values, 0, axis)
    requested = (True, return_index, return_inverse, return_counts)
    results = (values, index, inverse, cast(counts, "int32"))
    return _unwrap_single([r for wanted, r in zip(requested, results, strict=True) if wanted])


def _lexicographic_order(rows: Tensor) -> Tensor:
    """Returns the indices that sort slices lexicographically."""
    if len(rows.shape) == 1:
        return argsort(rows)
    count, *inner = shape_of(rows)
    width = math.prod(inner)
    columns = reshape(rows, (count, width))
    order = arange(count, dtype="int32")
    for j in reversed(range(width)):
        order = take(order, argsort(take(columns[:, j], order)))
    return order


def _starts_group(ordered: Tensor) -> Tensor:
    """Returns for each slice whether it differs from the previous one; true for the first."""
    rows, previous = ordered[1:], ordered[:-1]
    differ = not_equal(rows, previous)
    if dtypes.is_float(spec_of(ordered).dtype):
        differ = logical_and(differ, logical_not(logical_and(isnan(rows), isnan(previous))))
    if len(ordered.shape) > 1:
        differ = any_(differ, axis=tuple(range(1, len(ordered.shape))))
    first = ones((1,), dtype="bool")
    return concatenate([first, differ])[: shape_of(ordered)[0]]


def _group_starts(
    is_start: Tensor, group: Tensor, count: Any, size: int | None
) -> tuple[Tensor, Tensor]:
    """Returns the start indices of the groups, one more than `size`, and which groups exist."""
    if size is None:
        (starts,) = nonzero(is_start)
        return starts, starts
    starts = segment_min(arange(count, dtype="int32"), group, num_segments=size + 1)
    return where(less(starts, count), starts, count), less(starts, count)


def _searchsorted_spec(
    sorted_sequence: TensorSpec, values: TensorSpec, side: str = "left"
) -> TensorSpec:
    if len(sorted_sequence.shape) != 1:
        raise SpecError(
            "ops.searchsorted",
            expected="a sorted sequence of rank 1",
            received=f"shape {sorted_sequence.shape}",
            fix="search one row at a time",
        )
    if side not in ("left", "right"):
        raise SpecError(
            "ops.searchsorted",
            expected="side='left' or side='right'",
            received=f"side={side!r}",
            fix="use one of them",
        )
    return TensorSpec(values.shape, "int32")


@op(rule=Rule(_searchsorted_spec, promote=number_type))
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Indices at which values would have to be inserted into a sorted sequence to keep it sorted.

    Args:
        sorted_sequence: Numbers in ascending order, of shape `(n,)`.
        values: Numbers of any shape.
        side: `"left"` for the index before equal elements, `"right"` for the index after them.

    Returns:
        Int32 tensor of the shape of `values`, from 0 to n; n for NaN.

    Raises:
        ValueError: The sequence is not of rank 1, or the side is unknown.

    Example:
        >>> convert_to_numpy(searchsorted([1, 3, 5], [3, 6])).tolist()
        [1, 3]
    """
    _searchsorted_spec(spec_of(sorted_sequence), spec_of(values), side)
    value = expand_dims(values, -1)
    before = less if side == "left" else less_equal
    index = sum_(cast(before(sorted_sequence, value), "int32"), -1)
    return where(equal(values, values), index, shape_of(sorted_sequence)[0])
