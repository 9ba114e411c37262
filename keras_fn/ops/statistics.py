"""Counts in bins, places in an order, and correlations."""

from __future__ import annotations

import builtins
import math

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import integer_type
from keras_fn.ops.arithmetic import add, clip, divide, multiply, subtract
from keras_fn.ops.calculus import diff
from keras_fn.ops.convolution import conv
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.creation import arange, ones_like, zeros
from keras_fn.ops.indexing import getitem
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.logic import equal, isnan, less, where
from keras_fn.ops.manipulation import concatenate, expand_dims, flip, pad, reshape, transpose
from keras_fn.ops.math import sqrt
from keras_fn.ops.numerical_ranges import linspace
from keras_fn.ops.reductions import max as max_, mean, min as min_, sum as sum_
from keras_fn.ops.segments import segment_sum
from keras_fn.ops.sorting_searching import searchsorted, sort
from keras_fn.types import Tensor, TensorLike

# ---------------------------------------------------------------- counts


def _bincount_spec(
    x: TensorSpec, weights: TensorSpec | None = None, minlength: int = 0, sparse: bool = False
) -> TensorSpec:
    if sparse:
        raise SpecError(
            "ops.bincount",
            expected="sparse=False",
            received="sparse=True",
            fix="count into a dense tensor",
        )
    integer_type("ops.bincount")(x.dtype)
    if len(x.shape) not in (1, 2):
        raise SpecError(
            "ops.bincount",
            expected="a tensor of rank 1 or 2",
            received=f"shape {x.shape}",
            fix="flatten it, or count along its last axis",
        )
    if weights is not None and not _fit(x.shape, weights.shape):
        raise SpecError(
            "ops.bincount",
            expected=f"weights of shape {x.shape}, as that of x",
            received=f"shape {weights.shape}",
            fix="give each element one weight",
        )
    dtype = "int32" if weights is None else dtypes.result_type(x.dtype, weights.dtype)
    return TensorSpec((*x.shape[:-1], None), dtype)


def _fit(a: Shape, b: Shape) -> bool:
    """Whether two shapes are equal as far as they are known."""
    pairs = zip(a, b, strict=False)
    return len(a) == len(b) and all(None in pair or len(set(pair)) == 1 for pair in pairs)


@op(rule=Rule(_bincount_spec))
def bincount(
    x: TensorLike, weights: TensorLike = None, minlength: int = 0, sparse: bool = False
) -> Tensor:
    """How often each number from 0 up is among the elements of the last axis.

    Args:
        x: Integers that are not negative, of shape `(n,)` or `(batch, n)`.
        weights: What each element counts, of the shape of `x`; 1 by default.
        minlength: The least number of bins. There are as many as `max(x) + 1`, so the op can be
            compiled on backends only whose shapes may depend on values.
        sparse: Sparse results are for backends that have them; here False.

    Returns:
        The counts (int32), or the sums of weights, of shape `(bins,)` or `(batch, bins)`.

    Raises:
        ValueError: `x` has another rank, or the weights another shape.
        TypeError: `x` is of floats.

    Example:
        >>> convert_to_numpy(bincount([1, 1, 3])).tolist()
        [0, 2, 0, 1]
    """
    spec = _bincount_spec(spec_of(x), None if weights is None else spec_of(weights), 0, sparse)
    x = cast(x, "int32")
    weights = ones_like(x) if weights is None else weights
    bins = builtins.max(int(max_(x, initial=-1)) + 1, minlength)
    if 0 in (bins, *x.shape):
        return zeros((*x.shape[:-1], bins), spec.dtype)
    if len(x.shape) == 1:
        return cast(segment_sum(weights, x, bins), spec.dtype)
    rows = x.shape[0]
    places = add(x, expand_dims(multiply(arange(rows, dtype="int32"), bins), 1))
    places = where(less(x, 0), -1, places)
    counts = segment_sum(reshape(weights, (-1,)), reshape(places, (-1,)), rows * bins)
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
            expected="a number of bins, 1 or more",
            received=f"bins={bins!r}",
            fix="check bins=",
        )
    if range and not range[0] < range[1]:
        raise SpecError(
            "ops.histogram",
            expected="a range that rises",
            received=f"range={range}",
            fix="put the smaller end first",
        )
    dtype = dtypes.float_type(x.dtype)
    return TensorSpec((bins,), dtype), TensorSpec((bins + 1,), dtype)


@op(rule=Rule(_histogram_spec, promote=dtypes.float_type))
def histogram(
    x: TensorLike, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[Tensor, Tensor]:
    """How many elements fall in each of some bins of equal width.

    Args:
        x: Tensor of rank 1.
        bins: Number of bins.
        range: The ends of the first and the last bin; by default the smallest and the largest
            element. Elements beyond them are not counted.

    Returns:
        The counts, of shape `(bins,)`, and the edges, of shape `(bins + 1,)`, both in the float
        dtype of `x`. An edge belongs to the bin above it, the last one to the last bin.

    Raises:
        ValueError: `x` has another rank, there is no bin, or the range does not rise.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in histogram([1.0, 2.0, 2.0, 5.0], bins=2)]
        [[3.0, 1.0], [1.0, 3.0, 5.0]]
    """
    _histogram_spec(spec_of(x), bins, range)
    if range:
        low, high = map(float, range)
    elif x.shape[0] == 0:
        low, high = 0.0, 1.0
    else:
        low, high = min_(x), max_(x)
        half = where(equal(low, high), 0.5, 0.0)  # bins of no width would hold nothing
        low, high = subtract(low, half), add(high, half)
    edges = cast(linspace(low, high, bins + 1), dtype_of(x))
    rising = sort(where(isnan(x), math.inf, x))  # NaN is in no bin
    inner = getitem(edges, slice(None, -1))
    below = concatenate(
        [
            searchsorted(rising, inner, side="left"),
            searchsorted(rising, getitem(edges, slice(-1, None)), side="right"),
        ]
    )
    return cast(diff(below), dtype_of(x)), edges


# ---------------------------------------------------------------- correlations


def _corrcoef_spec(x: TensorSpec) -> TensorSpec:
    if len(x.shape) not in (1, 2):
        raise SpecError(
            "ops.corrcoef",
            expected="a tensor of rank 1 or 2",
            received=f"shape {x.shape}",
            fix="make a row of each variable",
        )
    return TensorSpec((*x.shape[:-1], *x.shape[:-1]), dtypes.float_type(x.dtype))


@op(rule=Rule(_corrcoef_spec, promote=dtypes.float_type))
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation coefficients of variables.

    Args:
        x: Tensor of shape `(variables, observations)`, or `(observations,)` for one variable.

    Returns:
        A tensor of shape `(variables, variables)`, or a scalar. NaN for variables that are
        constant.

    Raises:
        ValueError: `x` has another rank.

    Example:
        >>> print(convert_to_numpy(corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).round(3))
        [[ 1. -1.]
         [-1.  1.]]
    """
    _corrcoef_spec(spec_of(x))
    if len(x.shape) == 1:
        return reshape(corrcoef(expand_dims(x, 0)), ())
    centred = subtract(x, mean(x, -1, keepdims=True))
    length = sqrt(sum_(multiply(centred, centred), -1, keepdims=True))
    rows = divide(centred, length)
    return clip(matmul(rows, transpose(rows)), -1.0, 1.0)


def _correlate_spec(x1: TensorSpec, x2: TensorSpec, mode: str = "valid") -> TensorSpec:
    if len(x1.shape) != 1 or len(x2.shape) != 1 or 0 in (*x1.shape, *x2.shape):
        raise SpecError(
            "ops.correlate",
            expected="two tensors of rank 1 that have elements",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="flatten them, with ops.ravel",
        )
    if mode not in ("valid", "same", "full"):
        raise SpecError(
            "ops.correlate",
            expected="mode 'valid', 'same' or 'full'",
            received=f"mode={mode!r}",
            fix="choose one of them",
        )
    dtype = dtypes.float_type(x1.dtype, x2.dtype)
    (m,), (n,) = x1.shape, x2.shape
    if m is None or n is None:
        return TensorSpec((None,), dtype)
    long, short = builtins.max(m, n), builtins.min(m, n)
    return TensorSpec(({"valid": long - short + 1, "same": long, "full": m + n - 1}[mode],), dtype)


@op(rule=Rule(_correlate_spec, promote=dtypes.float_type))
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """Sums of products of `x1` and `x2`, which is moved along it: `sum(x1[n + k] * x2[n])`.

    Args:
        x1: Tensor of shape `(m,)`.
        x2: Tensor of shape `(n,)`.
        mode: Which of the places of `x2` count: "valid" where it lies inside `x1`, "full" where
            they overlap, "same" as many of those as the longer one has elements.

    Returns:
        A tensor of rank 1: of `max(m, n) - min(m, n) + 1` sums, `m + n - 1`, or `max(m, n)`.

    Raises:
        ValueError: A tensor has another rank, or the mode is unknown.

    Example:
        >>> convert_to_numpy(correlate([1.0, 2.0, 3.0], [0.0, 1.0])).tolist()
        [2.0, 3.0]
    """
    _correlate_spec(spec_of(x1), spec_of(x2), mode)
    m, n = x1.shape[0], x2.shape[0]
    if m < n:  # the same sums, in the opposite order
        return flip(correlate(x2, x1, mode))
    before = {"valid": 0, "same": n // 2, "full": n - 1}[mode]
    after = {"valid": 0, "same": n - 1 - n // 2, "full": n - 1}[mode]
    signal = reshape(pad(x1, [(before, after)]), (1, -1, 1))
    sums = conv(signal, reshape(x2, (-1, 1, 1)), padding="valid", data_format="channels_last")
    return reshape(sums, (-1,))
