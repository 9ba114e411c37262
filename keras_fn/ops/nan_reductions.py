"""Reductions that pass over NaN."""

from __future__ import annotations

import math

from keras_fn.core import dtypes
from keras_fn.ops._op import op
from keras_fn.ops._rules import (
    Axis,
    arg_reduction,
    cumulative,
    min_max_reduction,
    reduction_float,
    reduction_sum,
)
from keras_fn.ops.arithmetic import divide, square, subtract
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.logic import all as all_, isnan, logical_not, where
from keras_fn.ops.math import sqrt
from keras_fn.ops.reductions import (
    argmax,
    argmin,
    cumprod,
    cumsum,
    max as max_,
    mean,
    min as min_,
    prod,
    sum as sum_,
    var,
)
from keras_fn.types import Tensor, TensorLike


def has_nan_dtype(x: TensorLike) -> bool:
    """Whether NaN can be among the elements."""
    return dtypes.is_float(dtype_of(x))


def _replaced(x: Tensor, value: float) -> Tensor:
    return where(isnan(x), value, x) if has_nan_dtype(x) else x


def _count(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """How many elements are not NaN. Counted as integers: half precision ends at 2048."""
    return cast(sum_(cast(logical_not(isnan(x)), "int32"), axis, keepdims), dtype_of(x))


@op(rule=reduction_sum)
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum over `axis` of the elements that are not NaN; 0 if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(nansum([1.0, float('nan'), 2.0]))
        3.0
    """
    return sum_(_replaced(x, 0), axis, keepdims)


@op(rule=reduction_sum)
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Product over `axis` of the elements that are not NaN; 1 if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(nanprod([3.0, float('nan'), 2.0]))
        6.0
    """
    return prod(_replaced(x, 1), axis, keepdims)


@op(rule=min_max_reduction("ops.max"))
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over `axis` that is not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Raises:
        ValueError: An axis that is reduced has no elements.

    Example:
        >>> float(nanmax([1.0, float('nan'), 2.0]))
        2.0
    """
    if not has_nan_dtype(x):
        return max_(x, axis, keepdims)
    largest = max_(_replaced(x, -math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), math.nan, largest)


@op(rule=min_max_reduction("ops.min"))
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over `axis` that is not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Raises:
        ValueError: An axis that is reduced has no elements.

    Example:
        >>> float(nanmin([1.0, float('nan'), 2.0]))
        1.0
    """
    if not has_nan_dtype(x):
        return min_(x, axis, keepdims)
    smallest = min_(_replaced(x, math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), math.nan, smallest)


@op(rule=arg_reduction)
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int32) of the first largest element that is not NaN; -1 if there is none.

    Args:
        x: Tensor of any shape.
        axis: The axis; None for the index in the flattened tensor.
        keepdims: Whether the axis stays, with size 1.

    Example:
        >>> int(nanargmax([1.0, float('nan'), 2.0]))
        2
    """
    index = argmax(_replaced(x, -math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), -1, index) if has_nan_dtype(x) else index


@op(rule=arg_reduction)
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int32) of the first smallest element that is not NaN; -1 if there is none.

    Args:
        x: Tensor of any shape.
        axis: The axis; None for the index in the flattened tensor.
        keepdims: Whether the axis stays, with size 1.

    Example:
        >>> int(nanargmin([1.0, float('nan'), 2.0]))
        0
    """
    index = argmin(_replaced(x, math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), -1, index) if has_nan_dtype(x) else index


@op(rule=reduction_float)
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Mean over `axis` of the elements that are not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(nanmean([1.0, float('nan'), 2.0]))
        1.5
    """
    if not has_nan_dtype(x):
        return mean(x, axis, keepdims)
    return divide(nansum(x, axis, keepdims), _count(x, axis, keepdims))


@op(rule=reduction_float)
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Variance over `axis` of the elements that are not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(nanvar([1.0, float('nan'), 3.0]))
        1.0
    """
    if not has_nan_dtype(x):
        return var(x, axis, keepdims)
    deviation = where(isnan(x), 0, subtract(x, nanmean(x, axis, True)))
    return divide(sum_(square(deviation), axis, keepdims), _count(x, axis, keepdims))


@op(rule=reduction_float)
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Standard deviation over `axis` of the elements that are not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(nanstd([1.0, float('nan'), 3.0]))
        1.0
    """
    return sqrt(nanvar(x, axis, keepdims))


@op(rule=cumulative)
def nancumsum(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Running sum along `axis` with NaN as 0; over the flattened tensor for None.

    Args:
        x: Tensor of any shape.
        axis: The axis, or None.
        dtype: Dtype of the result; by default that of `x`, and int32 for booleans.

    Example:
        >>> convert_to_numpy(nancumsum([1.0, float('nan'), 2.0])).tolist()
        [1.0, 1.0, 3.0]
    """
    return cumsum(_replaced(x, 0), axis, dtype)


@op(rule=cumulative)
def nancumprod(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Running product along `axis` with NaN as 1; over the flattened tensor for None.

    Args:
        x: Tensor of any shape.
        axis: The axis, or None.
        dtype: Dtype of the result; by default that of `x`, and int32 for booleans.

    Example:
        >>> convert_to_numpy(nancumprod([3.0, float('nan'), 2.0])).tolist()
        [3.0, 3.0, 6.0]
    """
    return cumprod(_replaced(x, 1), axis, dtype)
