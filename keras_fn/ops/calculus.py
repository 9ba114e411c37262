"""Discrete calculus: differences and the trapezoidal rule."""

from __future__ import annotations

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis, reduced_shape
from keras_fn.ops.arithmetic import add, multiply, subtract
from keras_fn.ops.core import dtype as dtype_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.logic import not_equal
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.reductions import sum as sum_
from keras_fn.types import Tensor, TensorLike


def _neighbours(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """All elements along an axis but the first, and all but the last."""
    before = (slice(None),) * normalize_axis(axis, len(x.shape))
    return getitem(x, (*before, slice(1, None))), getitem(x, (*before, slice(None, -1)))


def _diff_spec(a: TensorSpec, n: int = 1, axis: int = -1) -> TensorSpec:
    if n < 0:
        raise SpecError("ops.diff", expected="n from 0 up", received=f"n={n}", fix="check n=")
    if not a.shape:
        raise SpecError(
            "ops.diff",
            expected="a tensor with at least one axis",
            received="a scalar",
            fix="a single number has no neighbours",
        )
    place, sizes = normalize_axis(axis, len(a.shape), "ops.diff"), list(a.shape)
    size = sizes[place]
    sizes[place] = None if size is None else max(size - n, 0)
    return TensorSpec(tuple(sizes), dtypes.result_type(a.dtype))


@op(rule=Rule(_diff_spec))
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
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


def _trapezoid_spec(
    y: TensorSpec, x: TensorSpec | None = None, dx: float = 1.0, axis: int = -1
) -> TensorSpec:
    place = normalize_axis(axis, len(y.shape), "ops.trapezoid")
    if x is None:
        return TensorSpec(reduced_shape(y.shape, place, False), dtypes.float_type(y.dtype))
    size = y.shape[place]
    if len(x.shape) == 1:
        if None not in (size, x.shape[0]) and size != x.shape[0]:
            raise SpecError(
                "ops.trapezoid",
                expected=f"{size} places, one for each element along axis {axis}",
                received=f"x of shape {x.shape}",
                fix="give x the size of that axis",
            )
        shape = y.shape
    else:
        shape = broadcast(y.shape, x.shape, source="ops.trapezoid")
    place = normalize_axis(axis, len(shape), "ops.trapezoid")
    return TensorSpec(reduced_shape(shape, place, False), dtypes.float_type(y.dtype, x.dtype))


@op(rule=Rule(_trapezoid_spec, promote=dtypes.float_type))
def trapezoid(y: TensorLike, x: TensorLike = None, dx: float = 1.0, axis: int = -1) -> Tensor:
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
