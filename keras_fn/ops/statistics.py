"""Statistics: bincount, histogram, corrcoef, correlate."""

from __future__ import annotations

import builtins
import math

from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import check_at_least, integer_type
from keras_fn.ops._sparse.encoding import bincount as sparse_bincount
from keras_fn.ops.arithmetic import add, clip, divide, multiply, subtract
from keras_fn.ops.calculus import diff
from keras_fn.ops.complex import conjugate, is_complex
from keras_fn.ops.convolution import conv
from keras_fn.ops.core import cast, dtype as dtype_of, ndim, shape as shape_of
from keras_fn.ops.creation import arange, ones_like, zeros
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.logic import equal, isnan, less, where
from keras_fn.ops.manipulation import expand_dims, pad, reshape, transpose
from keras_fn.ops.math import sqrt
from keras_fn.ops.numerical_ranges import linspace
from keras_fn.ops.rearranging import flip
from keras_fn.ops.reductions import max as max_, mean, min as min_, sum as sum_
from keras_fn.ops.segments import segment_sum
from keras_fn.ops.sorting_searching import searchsorted, sort
from keras_fn.types import Tensor, TensorLike


def _bincount_spec(
    x: TensorSpec, weights: TensorSpec | None = None, minlength: int = 0, sparse: bool = False
) -> TensorSpec:
    integer_type("ops.bincount")(x.dtype)
    check_at_least(0, "ops.bincount", minlength=minlength)
    if len(x.shape) not in (1, 2):
        raise SpecError(
            "ops.bincount",
            expected="a tensor of rank 1 or 2",
            received=f"shape {x.shape}",
            fix="flatten it, or move the counted axis to the end",
        )
    if weights is not None and not is_compatible(x.shape, weights.shape):
        raise SpecError(
            "ops.bincount",
            expected=f"weights of shape {x.shape}, like x",
            received=f"shape {weights.shape}",
            fix="pass one weight for each element",
        )
    dtype = "int32" if weights is None else dtypes.result_type(x.dtype, weights.dtype)
    return TensorSpec((*x.shape[:-1], None), dtype)


@op(rule=Rule(_bincount_spec))
def bincount(
    x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False
) -> Tensor:
    """Number of occurrences of each non-negative integer along the last axis.

    Args:
        x: Non-negative integers of shape `(n,)` or `(batch, n)`.
        weights: Weight of each element, of the shape of `x`; 1 by default.
        minlength: Minimum number of bins. There are at least `max(x) + 1` bins, so the op can only
            be compiled on backends whose shapes may depend on values.
        sparse: Whether the result is a sparse tensor.

    Returns:
        Int32 counts, or the sums of weights, of shape `(bins,)` or `(batch, bins)`.

    Raises:
        ValueError: `x` is not of rank 1 or 2, or the shape of the weights does not fit.
        TypeError: `x` is a float tensor.

    Example:
        >>> convert_to_numpy(bincount([1, 1, 3])).tolist()
        [0, 2, 0, 1]
    """
    weights_spec = None if weights is None else spec_of(weights)
    spec = _bincount_spec(spec_of(x), weights_spec, minlength, sparse)
    integers = cast(x, "int32")
    weights = ones_like(integers) if weights is None else weights
    bins = builtins.max(int(max_(integers, initial=-1)) + 1, minlength)
    sizes = integers.shape
    if sparse:
        return sparse_bincount(integers, weights, bins, spec.dtype)
    if 0 in (bins, *sizes):
        return zeros((*sizes[:-1], bins), spec.dtype)
    if len(sizes) == 1:
        return cast(segment_sum(weights, integers, bins), spec.dtype)
    rows = sizes[0]
    segments = add(integers, expand_dims(multiply(arange(rows, dtype="int32"), bins), 1))
    segments = where(less(integers, 0), -1, segments)
    counts = segment_sum(reshape(weights, (-1,)), reshape(segments, (-1,)), rows * bins)
    return cast(reshape(counts, (rows, bins)), spec.dtype)


def _histogram_spec(
    x: TensorSpec, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[TensorSpec, TensorSpec]:
    if len(x.shape) != 1:
        raise SpecError(
            "ops.histogram",
            expected="a tensor of rank 1",
            received=f"shape {x.shape}",
            fix="flatten it, with ops.ravel",
        )
    if not isinstance(bins, int) or bins < 1:
        raise SpecError(
            "ops.histogram",
            expected="a positive number of bins",
            received=f"bins={bins!r}",
            fix="pass bins >= 1",
        )
    if range and not range[0] < range[1]:
        raise SpecError(
            "ops.histogram",
            expected="an ascending range",
            received=f"range={range}",
            fix="pass the lower edge first",
        )
    dtype = dtypes.float_type(x.dtype)
    return TensorSpec((bins,), dtype), TensorSpec((bins + 1,), dtype)


@op(rule=Rule(_histogram_spec, promote=dtypes.float_type))
def histogram(
    x: TensorLike, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[Tensor, Tensor]:
    """Histogram: the number of elements in each of several bins of equal width.

    Args:
        x: Tensor of rank 1.
        bins: Number of bins.
        range: Lower edge of the first bin and upper edge of the last one; by default the minimum
            and maximum of `x`. Elements outside the range are ignored.

    Returns:
        The counts, of shape `(bins,)`, and the edges, of shape `(bins + 1,)`, both in the float
        dtype of `x`. Bins are half-open and include their lower edge; the last bin includes both.

    Raises:
        ValueError: `x` is not of rank 1, `bins` is not positive, or the range is not ascending.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in histogram([1.0, 2.0, 2.0, 5.0], bins=2)]
        [[3.0, 1.0], [1.0, 3.0, 5.0]]
    """
    _histogram_spec(spec_of(x), bins, range)
    low: TensorLike
    high: TensorLike
    if range:
        low, high = map(float, range)
    elif shape_of(x)[0] == 0:
        low, high = 0.0, 1.0
    else:
        low, high = min_(x), max_(x)
        margin = where(equal(low, high), 0.5, 0.0)  # bins of width 0 would be empty
        low, high = subtract(low, margin), add(high, margin)
    edges = cast(linspace(low, high, bins + 1), dtype_of(x))
    ordered = sort(where(isnan(x), math.inf, x))  # NaN is not counted
    inner = getitem(edges, slice(None, -1))
    below = concatenate(
        [
            searchsorted(ordered, inner, side="left"),
            searchsorted(ordered, getitem(edges, slice(-1, None)), side="right"),
        ]
    )
    return cast(diff(below), dtype_of(x)), edges


def _corrcoef_spec(x: TensorSpec) -> TensorSpec:
    if len(x.shape) not in (1, 2):
        raise SpecError(
            "ops.corrcoef",
            expected="a tensor of rank 1 or 2",
            received=f"shape {x.shape}",
            fix="pass one row for each variable",
        )
    return TensorSpec((*x.shape[:-1], *x.shape[:-1]), dtypes.float_type(x.dtype))


@op(rule=Rule(_corrcoef_spec, promote=dtypes.float_type), upcast_half=True)
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson correlation coefficients of variables.

    Args:
        x: Tensor of shape `(variables, observations)`, or `(observations,)` for one variable.

    Returns:
        Tensor of shape `(variables, variables)`, or a scalar, of a float dtype. NaN for constant
        variables.

    Raises:
        ValueError: `x` is not of rank 1 or 2.

    Example:
        >>> print(convert_to_numpy(corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).round(3))
        [[ 1. -1.]
         [-1.  1.]]
    """
    _corrcoef_spec(spec_of(x))
    if ndim(x) == 1:
        return reshape(corrcoef(expand_dims(x, 0)), ())
    centered = subtract(x, mean(x, -1, keepdims=True))
    norm = sqrt(sum_(multiply(centered, centered), -1, keepdims=True))
    rows = divide(centered, norm)
    return clip(matmul(rows, transpose(rows)), -1.0, 1.0)


def _correlate_spec(x1: TensorSpec, x2: TensorSpec, mode: str = "valid") -> TensorSpec:
    if len(x1.shape) != 1 or len(x2.shape) != 1 or 0 in (*x1.shape, *x2.shape):
        raise SpecError(
            "ops.correlate",
            expected="two non-empty tensors of rank 1",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="flatten them, with ops.ravel",
        )
    if mode not in ("valid", "same", "full"):
        raise SpecError(
            "ops.correlate",
            expected="mode 'valid', 'same' or 'full'",
            received=f"mode={mode!r}",
            fix="use one of them",
        )
    dtype = dtypes.float_type(x1.dtype, x2.dtype)
    (m,), (n,) = x1.shape, x2.shape
    if m is None or n is None:
        return TensorSpec((None,), dtype)
    long, short = builtins.max(m, n), builtins.min(m, n)
    return TensorSpec(({"valid": long - short + 1, "same": long, "full": m + n - 1}[mode],), dtype)


@op(rule=Rule(_correlate_spec, promote=dtypes.float_type))
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """Cross-correlation of two vectors: `sum(x1[n + k] * conjugate(x2[n]))` for each lag `k`.

    Args:
        x1: Tensor of shape `(m,)`.
        x2: Tensor of shape `(n,)`.
        mode: The lags: `"valid"` where one vector lies inside the other, `"full"` where they
            overlap, `"same"` the central ones, as many as the longer vector has elements.

    Returns:
        Tensor of a float dtype and rank 1, of size `max(m, n) - min(m, n) + 1`, `m + n - 1` or
        `max(m, n)`.

    Raises:
        ValueError: A tensor is not of rank 1 or empty, or the mode is unknown.

    Example:
        >>> convert_to_numpy(correlate([1.0, 2.0, 3.0], [0.0, 1.0])).tolist()
        [2.0, 3.0]
    """
    _correlate_spec(spec_of(x1), spec_of(x2), mode)
    return _sliding_products(x1, conjugate(x2) if is_complex(x2) else x2, mode)


def _sliding_products(x1: TensorLike, x2: TensorLike, mode: str) -> Tensor:
    m, n = shape_of(x1)[0], shape_of(x2)[0]
    if m < n:  # the same sums, in reverse order
        return flip(_sliding_products(x2, x1, mode))
    before = {"valid": 0, "same": n // 2, "full": n - 1}[mode]
    after = {"valid": 0, "same": n - 1 - n // 2, "full": n - 1}[mode]
    signal = reshape(pad(x1, [(before, after)]), (1, -1, 1))
    sums = conv(signal, reshape(x2, (-1, 1, 1)), padding="valid", data_format="channels_last")
    return reshape(sums, (-1,))
