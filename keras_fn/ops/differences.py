"""Differences: between neighbours, between points, between images; and areas under curves."""

from __future__ import annotations

import math

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis, reduced_shape
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import add, divide, equal, multiply, not_equal, square, subtract, where
from keras_fn.ops.core import dtype as dtype_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.reductions import mean
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.shapes import expand_dims, reshape, squeeze
from keras_fn.ops.unary import absolute, log10, sqrt, stop_gradient


def _neighbours(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """All elements along an axis but the first, and all but the last."""
    before = (slice(None),) * normalize_axis(axis, len(x.shape))
    return getitem(x, (*before, slice(1, None))), getitem(x, (*before, slice(None, -1)))


def _diff_spec(a: Spec, n: int = 1, axis: int = -1) -> Spec:
    if n < 0:
        raise SpecError("ops.diff", expected="n from 0 up", given=f"n={n}", fix="check n=")
    if not a.shape:
        raise SpecError("ops.diff", expected="a tensor with at least one axis", given="a scalar",
                        fix="a single number has no neighbours")  # fmt: skip
    place, sizes = normalize_axis(axis, len(a.shape), "ops.diff"), list(a.shape)
    size = sizes[place]
    sizes[place] = None if size is None else max(size - n, 0)
    return Spec(tuple(sizes), dtypes.result_type(a.dtype))


@op(rule=Rule(_diff_spec))
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    """Differences of neighbours along `axis`, taken `n` times.

    Args:
        a: Tensor of rank 1 or more. Of booleans it is said whether neighbours differ.
        n: How often, 0 or more.
        axis: The axis, which becomes `n` elements shorter.

    Raises:
        ValueError: `n` is negative, or `a` has no axis.

    Example:
        >>> convert_to_numpy(diff([1, 4, 9])).tolist()
        [3, 5]
    """
    _diff_spec(spec_of(a), n, axis)
    difference = not_equal if dtype_of(a) == "bool" else subtract
    for _ in range(n):
        a = difference(*_neighbours(a, axis))
    return a


def _trapezoid_spec(y: Spec, x: Spec | None = None, dx: float = 1.0, axis: int = -1) -> Spec:
    place = normalize_axis(axis, len(y.shape), "ops.trapezoid")
    if x is None:
        return Spec(reduced_shape(y.shape, place, False), dtypes.float_type(y.dtype))
    size = y.shape[place]
    if len(x.shape) == 1:
        if None not in (size, x.shape[0]) and size != x.shape[0]:
            raise SpecError(
                "ops.trapezoid", expected=f"{size} places, one for each element along axis {axis}",
                given=f"x of shape {x.shape}", fix="give x the size of that axis",
            )  # fmt: skip
        shape = y.shape
    else:
        shape = broadcast(y.shape, x.shape, who="ops.trapezoid")
    place = normalize_axis(axis, len(shape), "ops.trapezoid")
    return Spec(reduced_shape(shape, place, False), dtypes.float_type(y.dtype, x.dtype))


@op(rule=Rule(_trapezoid_spec, operands=dtypes.float_type))
def trapezoid(y: Tensor, x: Tensor = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """Area under a curve through points that are joined by lines.

    Args:
        y: Heights of the points.
        x: Places of the points: a vector, or one place for each height; None for equal distances.
        dx: The distance, where there is no `x`.
        axis: The axis along which the points lie.

    Returns:
        The areas, of the shape of `y` without that axis.

    Raises:
        ValueError: There are more or fewer places than points.

    Example:
        >>> float(trapezoid([1.0, 2.0, 3.0], x=[4.0, 6.0, 8.0]))
        8.0
    """
    _trapezoid_spec(spec_of(y), None if x is None else spec_of(x), dx, axis)
    right, left = _neighbours(y, axis)
    width = dx
    if x is not None:
        width = diff(x, axis=-1 if len(x.shape) == 1 else axis)
        if len(x.shape) == 1:
            place = normalize_axis(axis, len(y.shape))
            width = reshape(width, [-1 if i == place else 1 for i in range(len(y.shape))])
    return sum_(multiply(multiply(add(left, right), 0.5), width), axis)


def _cdist_spec(x: Spec, y: Spec) -> Spec:
    a, b = x.shape, y.shape
    if len(a) < 2 or len(b) < 2 or (None not in (a[-1], b[-1]) and a[-1] != b[-1]):
        raise SpecError(
            "ops.cdist",
            expected="tensors of shapes (..., n, features) and (..., m, features)",
            given=f"shapes {a} and {b}",
            fix="put the coordinates of each point along the last axis",
        )
    batch = broadcast(a[:-2], b[:-2], who="ops.cdist") if len(a) > 2 or len(b) > 2 else ()
    return Spec((*batch, a[-2], b[-2]), dtypes.float_type(x.dtype, y.dtype))


@op(rule=Rule(_cdist_spec, operands=dtypes.float_type))
def cdist(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distances between the points of `x` and those of `y`, without overflow.

    Args:
        x: Points, a tensor of shape `(..., n, features)`.
        y: Points, a tensor of shape `(..., m, features)`; axes before the last two broadcast.

    Returns:
        A tensor of shape `(..., n, m)`. The gradient is 0 where two points are the same.

    Raises:
        ValueError: A tensor has fewer than two axes, or the numbers of features differ.

    Example:
        >>> convert_to_numpy(cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])).tolist()
        [[5.0, 1.0]]
    """
    _cdist_spec(spec_of(x), spec_of(y))
    difference = subtract(expand_dims(x, -2), expand_dims(y, -3))
    scale = stop_gradient(max_(absolute(difference), -1, keepdims=True, initial=0))
    scale = where(equal(scale, 0), 1, scale)
    total = sum_(square(divide(difference, scale)), -1, keepdims=True)
    apart = not_equal(total, 0)
    distance = multiply(scale, where(apart, sqrt(where(apart, total, 1)), 0))
    return squeeze(distance, -1)


def _psnr_spec(x1: Spec, x2: Spec, max_val: float) -> Spec:
    pairs = zip(x1.shape, x2.shape, strict=False)
    if len(x1.shape) != len(x2.shape) or any(None not in pair and len(set(pair)) > 1
                                             for pair in pairs):  # fmt: skip
        raise SpecError(
            "ops.psnr", expected="two tensors of one shape",
            given=f"shapes {x1.shape} and {x2.shape}", fix="broadcast one of them",
        )  # fmt: skip
    return Spec((), dtypes.float_type(x1.dtype, x2.dtype))


@op(rule=Rule(_psnr_spec, operands=dtypes.float_type))
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Tensor:
    """Peak signal-to-noise ratio in decibels: `20 log10(max_val) - 10 log10(mse)`.

    Args:
        x1: A signal or an image, with everything that is compared.
        x2: The other, of the same shape.
        max_val: The largest value that a signal can have, say 255 or 1.

    Returns:
        One number for all; infinity where the two are equal.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> print(f"{float(psnr([0.0, 0.5], [0.1, 0.4], max_val=1.0)):.2f}")
        20.00
    """
    _psnr_spec(spec_of(x1), spec_of(x2), max_val)
    error = mean(square(subtract(x1, x2)))
    return subtract(20 * math.log10(max_val), multiply(log10(error), 10))
