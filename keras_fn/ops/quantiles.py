"""Quantiles, percentiles and medians, with and without NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.errors import SpecError, check_choice
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import normalize_axes, product, reduced_shape, reduction_float
from keras_fn.ops.arithmetic import add, divide, maximum, minimum, mod, multiply, subtract
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of, ndim, shape as shape_of
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.indexing import take, take_along_axis
from keras_fn.ops.logic import any as any_, equal, isnan, logical_not, where
from keras_fn.ops.manipulation import expand_dims, moveaxis, reshape, squeeze, transpose
from keras_fn.ops.math import ceil, floor, round
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.sorting_searching import sort
from keras_fn.types import ArrayLike, Axis, Tensor, TensorLike


def _nearest(low: Tensor, fraction: Tensor) -> Tensor:
    odd = cast(mod(low, 2), dtype_of(fraction))  # ties go to the even index
    return subtract(round(add(odd, fraction)), odd)


# Weight of the upper of two consecutive sorted elements, from the index of the lower one and from
# the fractional part of the position of the quantile.
_METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "linear": lambda low, fraction: fraction,
    "lower": lambda low, fraction: zeros_like(fraction),
    "higher": lambda low, fraction: ceil(fraction),
    "midpoint": lambda low, fraction: multiply(ceil(fraction), 0.5),
    "nearest": _nearest,
}


def _is_host_value(q: Any) -> bool:
    return isinstance(q, (int, float, list, tuple, np.ndarray, np.generic))


def _quantile_rule(source: str, maximum_q: int) -> Callable[..., TensorSpec]:
    """Returns the shape and dtype rule of an op whose `q` ranges from 0 to `maximum_q`."""

    def infer(
        x: TensorSpec, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
    ) -> TensorSpec:
        check_choice(source, "method", method, _METHODS)
        shape = np.shape(q) if _is_host_value(q) else spec_of(q).shape
        if len(shape) > 1:
            raise SpecError(
                source,
                expected="q to be a number or a vector",
                received=f"q of shape {shape}",
                fix="flatten q, and reshape the result",
            )
        if _is_host_value(q) and not np.all((np.asarray(q) >= 0) & (np.asarray(q) <= maximum_q)):
            raise SpecError(
                source,
                expected=f"numbers from 0 to {maximum_q} for q",
                received=f"q={q}",
                fix=f"scale q to the interval from 0 to {maximum_q}",
            )
        reduced = reduced_shape(x.shape, axis, keepdims, source)
        return TensorSpec((*shape, *reduced), dtypes.float_type(x.dtype))

    return infer


def _to_rows(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Merges the reduced axes of `x` into one axis, the last."""
    rank, sizes = len(x.shape), shape_of(x)
    others = [i for i in range(rank) if i not in axes]
    reduced = [sizes[i] for i in axes]
    is_static = all(isinstance(n, int) for n in reduced)
    row: Any = product(reduced) if is_static else -1
    return reshape(transpose(x, (*others, *axes)), (*(sizes[i] for i in others), row))


def _position(q: Any, count: Any, dtype: str) -> tuple[Tensor, Tensor]:
    """Returns the positions of quantiles among `count` sorted elements: an index and a fraction."""
    if _is_host_value(q) and isinstance(count, int):  # on the host, in 64 bits
        whole, fraction = np.divmod(np.asarray(q, "float64") * (count - 1), 1)
        return convert_to_tensor(whole, "int32"), convert_to_tensor(fraction, dtype)
    last = cast(subtract(count, 1), dtype)
    position = maximum(multiply(cast(q, dtype), last), 0)
    low = minimum(floor(position), last)
    return cast(low, "int32"), subtract(position, low)


def _quantile(
    x: TensorLike, q: Any, axis: Axis, method: str, keepdims: bool, ignore_nan: bool
) -> Tensor:
    """Quantiles of the sorted elements; if `ignore_nan`, of the elements that are not NaN."""
    axes = normalize_axes(axis, ndim(x))
    x = cast(x, dtypes.float_type(dtype_of(x)))
    rows = _to_rows(x, axes)
    missing = isnan(rows)
    count = shape_of(rows)[-1]
    undefined = any_(missing, -1, keepdims=True)
    if ignore_nan:
        rows = where(missing, float("inf"), rows)  # sorted to the end of the row
        count = sum_(cast(logical_not(missing), "int32"), -1, keepdims=True)
        undefined = equal(count, 0)
    is_scalar = not (np.shape(q) if _is_host_value(q) else spec_of(q).shape)
    if is_scalar:
        q = [q] if _is_host_value(q) else reshape(q, (1,))
    # Half precision cannot represent the positions in long rows.
    low, fraction = _position(q, count, "float64" if dtype_of(x) == "float64" else "float32")
    weight = cast(_METHODS[method](low, fraction), dtype_of(x))
    high = add(low, cast(ceil(weight), "int32"))
    rows = sort(rows, axis=-1)
    gather = take_along_axis if ignore_nan else take
    lower, upper = gather(rows, low, axis=-1), gather(rows, high, axis=-1)
    interpolated = add(lower, multiply(subtract(upper, lower), weight))
    values = where(equal(lower, upper), lower, interpolated)  # inf - inf would be NaN
    values = where(undefined, float("nan"), values)
    values = squeeze(values, -1) if is_scalar else moveaxis(values, -1, 0)
    if keepdims and axes:
        values = expand_dims(values, tuple(i if is_scalar else i + 1 for i in axes))
    return values


_quantile_spec = _quantile_rule("ops.quantile", 1)
_percentile_spec = _quantile_rule("ops.percentile", 100)
_nanquantile_spec = _quantile_rule("ops.nanquantile", 1)
_nanpercentile_spec = _quantile_rule("ops.nanpercentile", 100)


def _percent_to_fraction(q: Any) -> Any:
    return np.asarray(q, "float64") / 100 if _is_host_value(q) else divide(q, 100)


@op(rule=Rule(_quantile_spec))
def quantile(
    x: TensorLike, q: ArrayLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Quantiles over axes: interpolated order statistics.

    The quantile `q` of n elements is at position `q * (n - 1)` of the sorted elements.

    Args:
        x: Tensor of any shape.
        q: Probability from 0 to 1, or a vector of probabilities.
        axis: Axis or axes to reduce; None for all of them.
        method: How to interpolate between two elements: `"linear"`, `"lower"`, `"higher"`,
            `"nearest"` (the one with the even position if they are equally near), or `"midpoint"`.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of a float dtype and of the reduced shape, with an additional first axis if `q` is a
        vector. NaN if an element is NaN.

    Raises:
        ValueError: The method is unknown, `q` is out of range, or `q` has more than one axis.

    Example:
        >>> convert_to_numpy(quantile([1.0, 2.0, 4.0], [0.5, 0.75])).tolist()
        [2.0, 3.0]
    """
    _quantile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, q, axis, method, keepdims, ignore_nan=False)


@op(rule=Rule(_percentile_spec))
def percentile(
    x: TensorLike, q: ArrayLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Percentiles over axes: quantiles whose `q` is given in percent.

    Args:
        x: Tensor of any shape.
        q: Percentage from 0 to 100, or a vector of percentages.
        axis: Axis or axes to reduce; None for all of them.
        method: Interpolation method; see `quantile`.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of a float dtype and of the reduced shape, with an additional first axis if `q` is a
        vector. NaN if an element is NaN.

    Raises:
        ValueError: The method is unknown, `q` is out of range, or `q` has more than one axis.

    Example:
        >>> float(percentile([1.0, 2.0, 4.0], 75))
        3.0
    """
    _percentile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, _percent_to_fraction(q), axis, method, keepdims, ignore_nan=False)


@op(rule=Rule(_nanquantile_spec))
def nanquantile(
    x: TensorLike, q: ArrayLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Quantiles over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        q: Probability from 0 to 1, or a vector of probabilities.
        axis: Axis or axes to reduce; None for all of them.
        method: Interpolation method; see `quantile`.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of a float dtype and of the reduced shape, with an additional first axis if `q` is a
        vector.

    Raises:
        ValueError: The method is unknown, `q` is out of range, or `q` has more than one axis.

    Example:
        >>> float(nanquantile([1.0, float('nan'), 2.0, 4.0], 0.5))
        2.0
    """
    _nanquantile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, q, axis, method, keepdims, ignore_nan=True)


@op(rule=Rule(_nanpercentile_spec))
def nanpercentile(
    x: TensorLike, q: ArrayLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Percentiles over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        q: Percentage from 0 to 100, or a vector of percentages.
        axis: Axis or axes to reduce; None for all of them.
        method: Interpolation method; see `quantile`.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of a float dtype and of the reduced shape, with an additional first axis if `q` is a
        vector.

    Raises:
        ValueError: The method is unknown, `q` is out of range, or `q` has more than one axis.

    Example:
        >>> float(nanpercentile([1.0, float('nan'), 2.0, 4.0], 50))
        2.0
    """
    _nanpercentile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, _percent_to_fraction(q), axis, method, keepdims, ignore_nan=True)


@op(rule=reduction_float)
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Median over axes: the middle one of the sorted elements, or the mean of the middle two.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype. NaN if an element is NaN.

    Example:
        >>> float(median([3.0, 1.0, 2.0, 9.0]))
        2.5
    """
    return _quantile(x, 0.5, axis, "midpoint", keepdims, ignore_nan=False)


@op(rule=reduction_float)
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Median over axes, ignoring NaN; NaN if all elements are NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> float(nanmedian([3.0, float('nan'), 2.0]))
        2.5
    """
    return _quantile(x, 0.5, axis, "midpoint", keepdims, ignore_nan=True)
