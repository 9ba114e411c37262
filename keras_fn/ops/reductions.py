"""Reductions over axes, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.ops._op import Rule, Spec, is_symbolic, op
from keras_fn.ops._rules import (
    Axis,
    arg_reduction,
    normalize_axes,
    normalize_axis,
    product,
    reduction,
    reduction_bool,
    reduction_float,
    reduction_sum,
)
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import add, divide, maximum, multiply, not_equal, power, square, subtract
from keras_fn.ops.core import cast, shape
from keras_fn.ops.shapes import squeeze
from keras_fn.ops.unary import absolute, exp, log, sqrt, stop_gradient


@op(rule=reduction_sum)
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum over `axis`. Small integers are summed in 32 bits.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The sums.

    Example:
        >>> convert_to_numpy(sum([[1, 2], [3, 4]], axis=0)).tolist()
        [4, 6]
    """


@op(rule=reduction_float)
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over `axis`; integers give floats.

    Example:
        >>> convert_to_numpy(mean([[1, 2], [3, 4]], axis=0)).tolist()
        [2.0, 3.0]
    """


@op(rule=reduction_sum)
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Product over `axis`.

    Example:
        >>> convert_to_numpy(prod([[1, 2], [3, 4]], axis=0)).tolist()
        [3, 8]
    """


@op(rule=reduction)
def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over `axis`; NaN if there is one.

    Example:
        >>> convert_to_numpy(max([[1, 5], [3, 4]], axis=0)).tolist()
        [3, 5]
    """


@op(rule=reduction)
def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over `axis`; NaN if there is one.

    Example:
        >>> convert_to_numpy(min([[1, 5], [3, 4]], axis=0)).tolist()
        [1, 4]
    """


@op(rule=reduction_bool)
def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over `axis` hold.

    Example:
        >>> convert_to_numpy(all([[True, False], [True, True]], axis=0)).tolist()
        [True, False]
    """


@op(rule=reduction_bool)
def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element over `axis` holds.

    Example:
        >>> convert_to_numpy(any([[True, False], [True, False]], axis=0)).tolist()
        [True, False]
    """


@op(rule=arg_reduction)
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int32) of the first largest element along `axis`; in the flattened tensor for None.

    Example:
        >>> convert_to_numpy(argmax([[1, 5], [3, 4]], axis=1)).tolist()
        [1, 1]
    """


@op(rule=arg_reduction)
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int32) of the first smallest element along `axis`; in the flattened tensor for None.

    Example:
        >>> convert_to_numpy(argmin([[1, 5], [3, 4]], axis=1)).tolist()
        [0, 0]
    """


@op
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Variance over `axis` (divided by the count).

    Example:
        >>> float(var([1.0, 2.0, 3.0, 4.0]))
        1.25
    """
    return mean(square(subtract(x, mean(x, axis, True))), axis, keepdims)


@op
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Standard deviation over `axis`.

    Example:
        >>> float(std([1.0, 3.0]))
        1.0
    """
    return sqrt(var(x, axis, keepdims))


@op
def amax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over `axis`; another name of `max`."""
    return max(x, axis, keepdims)


@op
def amin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over `axis`; another name of `min`."""
    return min(x, axis, keepdims)


@op
def average(x: Tensor, axis: Axis = None, weights: Tensor = None) -> Tensor:
    """Weighted mean over `axis`.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        weights: Weights of the shape of `x`, or of its size along one `axis`; None for the mean.

    Example:
        >>> float(average([1.0, 3.0], weights=[3.0, 1.0]))
        1.5
    """
    if weights is None:
        return mean(x, axis)
    if len(weights.shape) != len(x.shape) and isinstance(axis, int):
        rank = len(x.shape)
        weights = weights.reshape(
            [-1 if i == normalize_axis(axis, rank) else 1 for i in range(rank)]
        )
    ones = add(multiply(x, 0), 1)
    return divide(sum(multiply(x, weights), axis), sum(multiply(ones, weights), axis))


@op
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`log(sum(exp(x)))` over `axis`, without overflow.

    Example:
        >>> print(f"{float(logsumexp([0.0, 0.0])):.3f}")
        0.693
    """
    high = stop_gradient(max(x, axis, True))
    high = maximum(high, -3.0e38)  # an all -inf row: -inf - -inf would be NaN
    total = log(sum(exp(subtract(x, high)), axis, keepdims))
    return add(total, high if keepdims else max(high, axis))


@op
def count_nonzero(x: Tensor, axis: Axis = None) -> Tensor:
    """Number (int32) of elements that are not zero, over `axis`.

    Example:
        >>> int(count_nonzero([0.0, 2.0, 3.0]))
        2
    """
    return sum(cast(not_equal(x, 0), "int32"), axis)


def _mean_of_replicas(x: Tensor) -> Tensor:
    """The mean over the copies of a distributed program, where a backend has such."""
    average = getattr(current().ops, "mean_of_replicas", None)
    return x if average is None or is_symbolic(x) else average(x)


def _moments_axes(x: Tensor, axes: Axis) -> tuple[int, ...]:
    return normalize_axes(axes, len(shape(x)), "ops.moments")


@op
def moments(
    x: Tensor, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance over `axes`. Half-precision input is averaged in float32.

    Args:
        x: Tensor of floats.
        axes: An axis, or several.
        keepdims: Whether reduced axes stay, with size 1.
        synchronized: Whether the copies of a distributed program average together, each with the
            same number of elements: the processes of `torch.distributed`, the replicas of a
            `tf.distribute.Strategy`. On JAX arrays are whole, and always averaged so.

    Returns:
        `(mean, variance)`, of the dtype of `x`.

    Example:
        >>> [float(v) for v in moments([1.0, 3.0], axes=[0])]
        [2.0, 1.0]
    """
    axes = _moments_axes(x, axes)
    dtype = dtypes.standardize_dtype(x.dtype)
    wide = cast(x, "float32") if dtype in ("float16", "bfloat16") else x
    everywhere = _mean_of_replicas if synchronized else lambda x: x
    center = everywhere(mean(wide, axes, True))
    variance = everywhere(mean(square(wide - stop_gradient(center)), axes, keepdims))
    average = center if keepdims else squeeze(center, axes)
    return cast(average, dtype), cast(variance, dtype)


def _cumulative(x: Spec, axis: int | None = None, dtype: str | None = None) -> Spec:
    shape = (product(x.shape),) if axis is None else x.shape
    return Spec(shape, dtype or dtypes.accumulator_type(x.dtype))


@op(rule=Rule(_cumulative, operands=dtypes.accumulator_type))
def cumsum(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Running sum along `axis`; over the flattened tensor for None.

    Example:
        >>> convert_to_numpy(cumsum([1, 2, 3])).tolist()
        [1, 3, 6]
    """


@op(rule=Rule(_cumulative, operands=dtypes.accumulator_type))
def cumprod(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Running product along `axis`; over the flattened tensor for None.

    Example:
        >>> convert_to_numpy(cumprod([1, 2, 3])).tolist()
        [1, 2, 6]
    """


@op
def norm(
    x: Tensor,
    ord: float | str | None = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Norm of the vectors along `axis`.

    Args:
        x: Tensor of floats.
        ord: 1, 2 (also None), any p, or infinity.
        axis: Axis of the vectors; None for the whole tensor as one vector.
        keepdims: Whether the axis stays, with size 1.

    Example:
        >>> float(norm([3.0, 4.0]))
        5.0
    """
    size = absolute(x)
    if ord in (None, 2, "euclidean", "fro"):
        return sqrt(sum(square(size), axis, keepdims))
    if ord == float("inf"):
        return max(size, axis, keepdims)
    if ord == 1:
        return sum(size, axis, keepdims)
    return power(sum(power(size, ord), axis, keepdims), 1.0 / float(ord))
