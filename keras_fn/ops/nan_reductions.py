"""Reductions that ignore NaN."""

from __future__ import annotations

import math
from collections.abc import Callable

from keras_fn.core import dtypes
from keras_fn.ops._op import op
from keras_fn.ops._rules import (
    arg_reduction,
    cumulative,
    min_max_reduction,
    reduction_float,
    reduction_sum,
)
from keras_fn.ops.arithmetic import divide, square, subtract
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of
from keras_fn.ops.logic import all as all_, isnan, logical_not, where
from keras_fn.ops.reductions import (
    argmax,
    argmin,
    cumprod,
    cumsum,
    max as max_,
    mean,
    min as min_,
    prod,
    root_of_squares,
    sum as sum_,
    var,
)
from keras_fn.types import Axis, DTypeLike, Tensor, TensorLike


def has_nan_dtype(x: TensorLike) -> bool:
    """Returns whether the dtype of `x` has NaN."""
    return dtypes.is_float(dtype_of(x))


def _replace_nan(x: TensorLike, value: float) -> Tensor:
    return where(isnan(x), value, x) if has_nan_dtype(x) else convert_to_tensor(x)


def _count_not_nan(x: TensorLike, axis: Axis, keepdims: bool) -> Tensor:
    """Returns the number of elements that are not NaN. Half precision cannot count past 2048."""
    return cast(sum_(cast(logical_not(isnan(x)), "int32"), axis, keepdims), dtype_of(x))


@op(rule=reduction_sum)
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum over axes, ignoring NaN; 0 if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`; small integers become 32-bit.

    Example:
        >>> float(nansum([1.0, float('nan'), 2.0]))
        3.0
    """
    return sum_(_replace_nan(x, 0), axis, keepdims)


@op(rule=reduction_sum)
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Product over axes, ignoring NaN; 1 if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`; small integers become 32-bit.

    Example:
        >>> float(nanprod([3.0, float('nan'), 2.0]))
        6.0
    """
    return prod(_replace_nan(x, 1), axis, keepdims)


@op(rule=min_max_reduction("ops.max"))
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Maximum over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`.

    Raises:
        ValueError: A reduced axis is empty.

    Example:
        >>> float(nanmax([1.0, float('nan'), 2.0]))
        2.0
    """
    if not has_nan_dtype(x):
        return max_(x, axis, keepdims)
    largest = max_(_replace_nan(x, -math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), math.nan, largest)


@op(rule=min_max_reduction("ops.min"))
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Minimum over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`.

    Raises:
        ValueError: A reduced axis is empty.

    Example:
        >>> float(nanmin([1.0, float('nan'), 2.0]))
        1.0
    """
    if not has_nan_dtype(x):
        return min_(x, axis, keepdims)
    smallest = min_(_replace_nan(x, math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), math.nan, smallest)


@op(rule=arg_reduction)
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the maximum along an axis, ignoring NaN; -1 if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis to reduce; None for the index in the flattened tensor.
        keepdims: Whether to keep the reduced axis, with size 1.

    Returns:
        Int32 tensor of the reduced shape.

    Example:
        >>> int(nanargmax([1.0, float('nan'), 2.0]))
        2
    """
    index = argmax(_replace_nan(x, -math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), -1, index) if has_nan_dtype(x) else index


@op(rule=arg_reduction)
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the minimum along an axis, ignoring NaN; -1 if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis to reduce; None for the index in the flattened tensor.
        keepdims: Whether to keep the reduced axis, with size 1.

    Returns:
        Int32 tensor of the reduced shape.

    Example:
        >>> int(nanargmin([1.0, float('nan'), 2.0]))
        0
    """
    index = argmin(_replace_nan(x, math.inf), axis, keepdims)
    return where(all_(isnan(x), axis, keepdims), -1, index) if has_nan_dtype(x) else index


@op(rule=reduction_float, upcast_half=True)
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> float(nanmean([1.0, float('nan'), 2.0]))
        1.5
    """
    if not has_nan_dtype(x):
        return mean(x, axis, keepdims)
    return divide(nansum(x, axis, keepdims), _count_not_nan(x, axis, keepdims))


@op(rule=reduction_float, upcast_half=True)
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Population variance over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> float(nanvar([1.0, float('nan'), 3.0]))
        1.0
    """
    if not has_nan_dtype(x):
        return var(x, axis, keepdims)
    deviation = where(isnan(x), 0, subtract(x, nanmean(x, axis, True)))
    return divide(sum_(square(deviation), axis, keepdims), _count_not_nan(x, axis, keepdims))


@op(rule=reduction_float, upcast_half=True)
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Population standard deviation over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> float(nanstd([1.0, float('nan'), 3.0]))
        1.0
    """
    return root_of_squares(nanvar(x, axis, keepdims))


@op(rule=cumulative)
def nancumsum(x: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None) -> Tensor:
    """Cumulative sum along an axis, with NaN replaced by 0.

    Args:
        x: Tensor of any shape.
        axis: Axis to accumulate along, or several, one after the other (a summed-area table);
            None for the flattened tensor.
        dtype: Dtype of the result; by default the dtype of `x`, and int32 for booleans.

    Returns:
        Tensor of the shape of `x`; of rank 1 if `axis` is None.

    Example:
        >>> convert_to_numpy(nancumsum([1.0, float('nan'), 2.0])).tolist()
        [1.0, 1.0, 3.0]
    """
    return _accumulate(cumsum, _replace_nan(x, 0), axis, dtype)


@op(rule=cumulative)
def nancumprod(x: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None) -> Tensor:
    """Cumulative product along an axis, with NaN replaced by 1.

    Args:
        x: Tensor of any shape.
        axis: Axis to accumulate along, or several, one after the other; None for the flattened
            tensor.
        dtype: Dtype of the result; by default the dtype of `x`, and int32 for booleans.

    Returns:
        Tensor of the shape of `x`; of rank 1 if `axis` is None.

    Example:
        >>> convert_to_numpy(nancumprod([3.0, float('nan'), 2.0])).tolist()
        [3.0, 3.0, 6.0]
    """
    return _accumulate(cumprod, _replace_nan(x, 1), axis, dtype)


def _accumulate(
    cumulative_op: Callable[..., Tensor], x: Tensor, axis: Axis, dtype: DTypeLike | None
) -> Tensor:
    axes = [axis] if axis is None or isinstance(axis, int) else list(axis)
    for a in axes:
        x = cumulative_op(x, a, dtype)
    return x if axes else convert_to_tensor(x, dtype)
