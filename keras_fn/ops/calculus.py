"""Discrete calculus: differences and the trapezoidal rule."""

from __future__ import annotations

from keras_fn.core import dtypes
from keras_fn.core.shapes import is_size_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis, reduced_shape
from keras_fn.ops.arithmetic import add, multiply, subtract
from keras_fn.ops.core import convert_to_tensor, dtype as dtype_of, ndim
from keras_fn.ops.indexing import getitem
from keras_fn.ops.logic import not_equal
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.reductions import sum as sum_
from keras_fn.types import Tensor, TensorLike


def _shifted_slices(x: TensorLike, axis: int) -> tuple[Tensor, Tensor]:
    """Returns the elements along an axis without the first, and without the last."""
    before = (slice(None),) * normalize_axis(axis, ndim(x))
    return getitem(x, (*before, slice(1, None))), getitem(x, (*before, slice(None, -1)))


def _diff_spec(a: TensorSpec, n: int = 1, axis: int = -1) -> TensorSpec:
    if n < 0:
        raise SpecError("ops.diff", expected="n >= 0", received=f"n={n}", fix="pass n >= 0")
    if not a.shape:
        raise SpecError(
            "ops.diff",
            expected="a tensor with at least one axis",
            received="a scalar",
            fix="pass a tensor of rank 1 or more",
        )
    axis, sizes = normalize_axis(axis, len(a.shape), "ops.diff"), list(a.shape)
    size = sizes[axis]
    sizes[axis] = None if size is None else max(size - n, 0)
    return TensorSpec(tuple(sizes), dtypes.result_type(a.dtype))


@op(rule=Rule(_diff_spec))
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Finite differences of consecutive elements along an axis, taken `n` times.

    Args:
        a: Tensor of rank 1 or more. For booleans, the result is whether neighbors differ.
        n: Order of the difference, 0 or more.
        axis: Axis along which to take differences; it becomes `n` elements shorter.

    Returns:
        Tensor of the dtype of `a`.

    Raises:
        ValueError: `n` is negative, or `a` is a scalar.

    Example:
        >>> convert_to_numpy(diff([1, 4, 9])).tolist()
        [3, 5]
    """
    _diff_spec(spec_of(a), n, axis)
    difference = not_equal if dtype_of(a) == "bool" else subtract
    result = convert_to_tensor(a)
    for _ in range(n):
        result = difference(*_shifted_slices(result, axis))
    return result


def _trapezoid_spec(
    y: TensorSpec, x: TensorSpec | None = None, dx: float = 1.0, axis: int = -1
) -> TensorSpec:
    y_axis = normalize_axis(axis, len(y.shape), "ops.trapezoid")
    if x is None:
        return TensorSpec(reduced_shape(y.shape, y_axis, False), dtypes.float_type(y.dtype))
    size = y.shape[y_axis]
    if len(x.shape) == 1:
        if not is_size_compatible(size, x.shape[0]):
            raise SpecError(
                "ops.trapezoid",
                expected=f"{size} sample points, one for each element along axis {axis}",
                received=f"x of shape {x.shape}",
                fix="pass as many sample points as values",
            )
        shape = y.shape
    else:
        shape = broadcast(y.shape, x.shape, source="ops.trapezoid")
    axis = normalize_axis(axis, len(shape), "ops.trapezoid")
    return TensorSpec(reduced_shape(shape, axis, False), dtypes.float_type(y.dtype, x.dtype))


@op(rule=Rule(_trapezoid_spec, promote=dtypes.float_type))
def trapezoid(
    y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1
) -> Tensor:
    """Integral by the trapezoidal rule, along an axis.

    Args:
        y: Values of the function.
        x: Sample points: a vector, or one point for each value; None for evenly spaced points.
        dx: Spacing of the sample points if `x` is None.
        axis: Axis to integrate along.

    Returns:
        Tensor of a float dtype and of the shape of `y` without that axis.

    Raises:
        ValueError: The numbers of sample points and values differ.

    Example:
        >>> float(trapezoid([1.0, 2.0, 3.0], x=[4.0, 6.0, 8.0]))
        8.0
    """
    _trapezoid_spec(spec_of(y), None if x is None else spec_of(x), dx, axis)
    right, left = _shifted_slices(y, axis)
    width: TensorLike = dx
    if x is not None:
        width = diff(x, axis=-1 if ndim(x) == 1 else axis)
        if ndim(x) == 1:
            y_axis = normalize_axis(axis, ndim(y))
            width = reshape(width, [-1 if i == y_axis else 1 for i in range(ndim(y))])
    return sum_(multiply(multiply(add(left, right), 0.5), width), axis)
