"""Quantiles, percentiles and medians, with and without NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import Axis, normalize_axes, product, reduced_shape, reduction_float
from keras_fn.ops.arithmetic import add, divide, maximum, minimum, mod, multiply, subtract
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.indexing import take, take_along_axis
from keras_fn.ops.logic import any as any_, equal, isnan, logical_not, where
from keras_fn.ops.manipulation import expand_dims, moveaxis, reshape, squeeze, transpose
from keras_fn.ops.math import ceil, floor, round
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.sorting_searching import sort
from keras_fn.types import Tensor, TensorLike


def _nearest(low: Tensor, part: Tensor) -> Tensor:
    odd = cast(mod(low, 2), dtype_of(part))  # of two at one distance, the even place
    return subtract(round(add(odd, part)), odd)


# How much of the upper of two neighbours counts, from the place of the lower one in the order and
# from the part of the way to the upper one where the quantile lies.
_METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "linear": lambda low, part: part,
    "lower": lambda low, part: zeros_like(part),
    "higher": lambda low, part: ceil(part),
    "midpoint": lambda low, part: multiply(ceil(part), 0.5),
    "nearest": _nearest,
}


def _is_plain(q: Any) -> bool:
    return isinstance(q, (int, float, list, tuple, np.ndarray, np.generic))


def _spec(source: str, most: int) -> Callable[..., TensorSpec]:
    """The rule of an op whose `q` goes from 0 to `most`."""

    def infer(
        x: TensorSpec, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
    ) -> TensorSpec:
        if method not in _METHODS:
            raise SpecError(
                source,
                expected=f"a method among {', '.join(_METHODS)}",
                received=f"method={method!r}",
                fix="choose one of them",
            )
        shape = np.shape(q) if _is_plain(q) else spec_of(q).shape
        if len(shape) > 1:
            raise SpecError(
                source,
                expected="a number or a vector for q",
                received=f"q of shape {shape}",
                fix="flatten q, and reshape the result",
            )
        if _is_plain(q) and not np.all((np.asarray(q) >= 0) & (np.asarray(q) <= most)):
            raise SpecError(
                source,
                expected=f"numbers from 0 to {most} for q",
                received=f"q={q}",
                fix=f"scale q: its numbers are parts of {most}",
            )
        reduced = reduced_shape(x.shape, axis, keepdims, source)
        return TensorSpec((*shape, *reduced), dtypes.float_type(x.dtype))

    return infer


def _in_rows(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """`x` with some axes as one, the last."""
    rank, sizes = len(x.shape), shape_of(x)
    others = [i for i in range(rank) if i not in axes]
    reduced = [sizes[i] for i in axes]
    known = all(isinstance(n, int) for n in reduced)
    row = product(reduced) if known else -1
    return reshape(transpose(x, (*others, *axes)), (*(sizes[i] for i in others), row))


def _place(q: Any, count: Any, dtype: str) -> tuple[Tensor, Tensor]:
    """Where quantiles lie in the order of `count` elements: a place, and a part of the next."""
    if _is_plain(q) and isinstance(count, int):  # on the host, in 64 bits
        whole, part = np.divmod(np.asarray(q, "float64") * (count - 1), 1)
        return convert_to_tensor(whole, "int32"), convert_to_tensor(part, dtype)
    last = cast(subtract(count, 1), dtype)
    place = maximum(multiply(cast(q, dtype), last), 0)
    low = minimum(floor(place), last)
    return cast(low, "int32"), subtract(place, low)


def _quantile(x: Tensor, q: Any, axis: Axis, method: str, keepdims: bool, nan: bool) -> Tensor:
    """Quantiles of rows in rising order; of `nan`, those of what is not NaN."""
    axes = normalize_axes(axis, len(x.shape))
    x = cast(x, dtypes.float_type(dtype_of(x)))
    rows = _in_rows(x, axes)
    missing = isnan(rows)
    count = shape_of(rows)[-1]
    undefined = any_(missing, -1, keepdims=True)
    if nan:
        rows = where(missing, float("inf"), rows)  # to the end of the row, where none looks
        count = sum_(cast(logical_not(missing), "int32"), -1, keepdims=True)
        undefined = equal(count, 0)
    scalar = not (np.shape(q) if _is_plain(q) else spec_of(q).shape)
    if scalar:
        q = [q] if _is_plain(q) else reshape(q, (1,))
    # Half precision could not tell the places of long rows apart.
    low, part = _place(q, count, "float64" if dtype_of(x) == "float64" else "float32")
    weight = cast(_METHODS[method](low, part), dtype_of(x))
    high = add(low, cast(ceil(weight), "int32"))
    rows = sort(rows, axis=-1)
    pick = take_along_axis if nan else take
    below, above = pick(rows, low, axis=-1), pick(rows, high, axis=-1)
    between = add(below, multiply(subtract(above, below), weight))
    values = where(equal(below, above), below, between)  # infinities have no difference
    values = where(undefined, float("nan"), values)
    values = squeeze(values, -1) if scalar else moveaxis(values, -1, 0)
    if keepdims and axes:
        values = expand_dims(values, tuple(i if scalar else i + 1 for i in axes))
    return values


_quantile_spec = _spec("ops.quantile", 1)
_percentile_spec = _spec("ops.percentile", 100)
_nanquantile_spec = _spec("ops.nanquantile", 1)
_nanpercentile_spec = _spec("ops.nanpercentile", 100)


def _hundredth(q: Any) -> Any:
    return np.asarray(q, "float64") / 100 if _is_plain(q) else divide(q, 100)


@op(rule=Rule(_quantile_spec))
def quantile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The elements below which given parts of all elements lie.

    The quantile `q` of n elements stands at the place `q * (n - 1)` of their order.

    Args:
        x: Tensor of any shape.
        q: A number from 0 to 1, or a vector of them.
        axis: An axis, several, or None for all.
        method: What is between two places: "linear" interpolation, the "lower" element, the
            "higher", the "nearest" (at equal distance the one of the even place), or their
            "midpoint".
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The quantiles. A vector `q` adds a first axis. NaN where an element is.

    Raises:
        ValueError: The method is unknown, or `q` has more than one axis or leaves its range.

    Example:
        >>> convert_to_numpy(quantile([1.0, 2.0, 4.0], [0.5, 0.75])).tolist()
        [2.0, 3.0]
    """
    _quantile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, q, axis, method, keepdims, nan=False)


@op(rule=Rule(_percentile_spec))
def percentile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The elements below which given hundredths of all elements lie.

    Args:
        x: Tensor of any shape.
        q: A number from 0 to 100, or a vector of them.
        axis: An axis, several, or None for all.
        method: As that of `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The percentiles. A vector `q` adds a first axis. NaN where an element is.

    Raises:
        ValueError: The method is unknown, or `q` has more than one axis or leaves its range.

    Example:
        >>> float(percentile([1.0, 2.0, 4.0], 75))
        3.0
    """
    _percentile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, _hundredth(q), axis, method, keepdims, nan=False)


@op(rule=Rule(_nanquantile_spec))
def nanquantile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """As `quantile`, of the elements that are not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        q: A number from 0 to 1, or a vector of them.
        axis: An axis, several, or None for all.
        method: As that of `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The quantiles. A vector `q` adds a first axis.

    Raises:
        ValueError: The method is unknown, or `q` has more than one axis or leaves its range.

    Example:
        >>> float(nanquantile([1.0, float('nan'), 2.0, 4.0], 0.5))
        2.0
    """
    _nanquantile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, q, axis, method, keepdims, nan=True)


@op(rule=Rule(_nanpercentile_spec))
def nanpercentile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """As `percentile`, of the elements that are not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        q: A number from 0 to 100, or a vector of them.
        axis: An axis, several, or None for all.
        method: As that of `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The percentiles. A vector `q` adds a first axis.

    Raises:
        ValueError: The method is unknown, or `q` has more than one axis or leaves its range.

    Example:
        >>> float(nanpercentile([1.0, float('nan'), 2.0, 4.0], 50))
        2.0
    """
    _nanpercentile_spec(spec_of(x), q, axis, method, keepdims)
    return _quantile(x, _hundredth(q), axis, method, keepdims, nan=True)


@op(rule=reduction_float)
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The element in the middle of the order, or the mean of the two there.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The medians. NaN where an element is.

    Example:
        >>> float(median([3.0, 1.0, 2.0, 9.0]))
        2.5
    """
    return _quantile(x, 0.5, axis, "midpoint", keepdims, nan=False)


@op(rule=reduction_float)
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `median`, of the elements that are not NaN; NaN if there is none.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The medians.

    Example:
        >>> float(nanmedian([3.0, float('nan'), 2.0]))
        2.5
    """
    return _quantile(x, 0.5, axis, "midpoint", keepdims, nan=True)
