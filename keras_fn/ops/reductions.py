"""Reductions over axes: sum, mean, extrema, moments, cumulative sums."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.backend.loader import current, supports
from keras_fn.core import dtypes
from keras_fn.core.scopes import context
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, is_symbolic, op
from keras_fn.ops._rules import (
    arg_reduction,
    cumulative,
    difference_type,
    min_max_reduction,
    normalize_axes,
    normalize_axis,
    reduced_shape,
    reduction_float,
    reduction_sum,
)
from keras_fn.ops.arithmetic import add, divide, multiply, square, subtract
from keras_fn.ops.autodiff import stop_gradient
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of, shape
from keras_fn.ops.creation import ones_like
from keras_fn.ops.logic import equal, isfinite, not_equal, where
from keras_fn.ops.manipulation import reshape, squeeze
from keras_fn.ops.math import exp, log, sqrt
from keras_fn.types import Axis, DTypeLike, Tensor, TensorLike


@op(rule=reduction_sum)
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum of the elements over axes. Small integers are summed in 32 bits.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`; small integers become 32-bit.

    Example:
        >>> convert_to_numpy(sum([[1, 2], [3, 4]], axis=0)).tolist()
        [4, 6]
    """
    ...


@op(rule=reduction_float)
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean of the elements over axes.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> convert_to_numpy(mean([[1, 2], [3, 4]], axis=0)).tolist()
        [2.0, 3.0]
    """
    ...


def _prod_spec(
    x: TensorSpec, axis: Axis = None, keepdims: bool = False, dtype: DTypeLike | None = None
) -> TensorSpec:
    name = dtypes.standardize_dtype(dtype or dtypes.accumulator_type(x.dtype))
    return TensorSpec(reduced_shape(x.shape, axis, keepdims, "ops.prod"), name)


@op(rule=Rule(_prod_spec, promote=dtypes.accumulator_type))
def prod(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: DTypeLike | None = None
) -> Tensor:
    """Product of the elements over axes. Small integers are multiplied in 32 bits.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.
        dtype: Dtype of the computation and of the result.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`; small integers become 32-bit.

    Example:
        >>> convert_to_numpy(prod([[1, 2], [3, 4]], axis=0)).tolist()
        [3, 8]
    """
    ...


@op(rule=min_max_reduction("ops.max"))
def max(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    """Maximum of the elements over axes; NaN if an element is NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.
        initial: A number that is included in the maximum: the result for an empty tensor.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`.

    Raises:
        ValueError: A reduced axis is empty, and there is no `initial`.

    Example:
        >>> convert_to_numpy(max([[1, 5], [3, 4]], axis=0)).tolist()
        [3, 5]
    """
    ...


@op(rule=min_max_reduction("ops.min"))
def min(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    """Minimum of the elements over axes; NaN if an element is NaN.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.
        initial: A number that is included in the minimum: the result for an empty tensor.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`.

    Raises:
        ValueError: A reduced axis is empty, and there is no `initial`.

    Example:
        >>> convert_to_numpy(min([[1, 5], [3, 4]], axis=0)).tolist()
        [1, 4]
    """
    ...


@op(rule=min_max_reduction("ops.max", promote=difference_type("ops.ptp")))
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Range of the elements over axes: the maximum minus the minimum ("peak to peak").

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`.

    Raises:
        ValueError: A reduced axis is empty.
        TypeError: `x` is a boolean tensor.

    Example:
        >>> convert_to_numpy(ptp([[1, 5], [3, 4]], axis=1)).tolist()
        [4, 1]
    """
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@op(rule=arg_reduction)
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the maximum along an axis; of the first one if there are several.

    Args:
        x: Tensor of any shape.
        axis: Axis to reduce; None for the index in the flattened tensor.
        keepdims: Whether to keep the reduced axis, with size 1.

    Returns:
        Int32 tensor of the reduced shape.

    Example:
        >>> convert_to_numpy(argmax([[1, 5], [3, 4]], axis=1)).tolist()
        [1, 1]
    """
    ...


@op(rule=arg_reduction)
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the minimum along an axis; of the first one if there are several.

    Args:
        x: Tensor of any shape.
        axis: Axis to reduce; None for the index in the flattened tensor.
        keepdims: Whether to keep the reduced axis, with size 1.

    Returns:
        Int32 tensor of the reduced shape.

    Example:
        >>> convert_to_numpy(argmin([[1, 5], [3, 4]], axis=1)).tolist()
        [0, 0]
    """
    ...


@op(upcast_half=True)
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Population variance over axes: the mean squared deviation from the mean.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> float(var([1.0, 2.0, 3.0, 4.0]))
        1.25
    """
    return mean(square(subtract(x, mean(x, axis, True))), axis, keepdims)


@op(upcast_half=True)
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Population standard deviation over axes: the square root of the variance.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> float(std([1.0, 3.0]))
        1.0
    """
    return root_of_squares(var(x, axis, keepdims))


def root_of_squares(x: TensorLike) -> Tensor:
    """Square root of a sum of squares. Its gradient at 0, which is infinite, is replaced by 0."""
    zero = equal(x, 0)
    return where(zero, 0, sqrt(where(zero, 1, x)))


@op
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Maximum of the elements over axes. Alias of `max`.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`.

    Example:
        >>> convert_to_numpy(amax([[1, 5], [7, 2]], axis=1)).tolist()
        [5, 7]
    """
    return max(x, axis, keepdims)


@op
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Minimum of the elements over axes. Alias of `min`.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of the dtype of `x`.

    Example:
        >>> convert_to_numpy(amin([[1, 5], [7, 2]], axis=1)).tolist()
        [1, 2]
    """
    return min(x, axis, keepdims)


def _align_weights(x: TensorLike, axis: Axis, weights: TensorLike) -> Tensor:
    """Returns the weights in a shape that broadcasts with `x`."""
    sizes, received = shape(x), shape(weights)
    if is_compatible(sizes, received):
        return convert_to_tensor(weights)
    if isinstance(axis, int) and len(received) == 1:
        axis = normalize_axis(axis, len(sizes), "ops.average")
        if is_compatible(sizes[axis : axis + 1], received):
            return reshape(weights, [-1 if i == axis else 1 for i in range(len(sizes))])
    raise SpecError(
        "ops.average",
        expected=f"weights of shape {sizes}, or a vector of weights for one axis",
        received=f"weights of shape {received} with axis={axis}",
        fix="pass the axis of the weights",
    )


@op(upcast_half=True)
def average(x: TensorLike, axis: Axis = None, weights: TensorLike | None = None) -> Tensor:
    """Weighted mean over axes: `sum(x * weights) / sum(weights)`.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        weights: Weights of the shape of `x`, or of its size along `axis`; None for the mean.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Raises:
        ValueError: The shape of the weights does not fit.

    Example:
        >>> float(average([1.0, 3.0], weights=[3.0, 1.0]))
        1.5
    """
    if weights is None:
        return mean(x, axis)
    weights = _align_weights(x, axis, weights)
    broadcast_weights = multiply(ones_like(x), weights)
    return divide(sum(multiply(x, weights), axis), sum(broadcast_weights, axis))


@op(upcast_half=True)
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Log of the sum of exponentials over axes: `log(sum(exp(x)))` without overflow.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Example:
        >>> print(f"{float(logsumexp([0.0, 0.0])):.3f}")
        0.693
    """
    high = stop_gradient(max(x, axis, True))
    high = where(isfinite(high), high, 0)  # inf - inf would be NaN
    total = log(sum(exp(subtract(x, high)), axis, keepdims))
    return add(total, high if keepdims else max(high, axis))


@op
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """Number of elements that are not 0, over axes.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.

    Returns:
        Int32 tensor of the reduced shape.

    Example:
        >>> int(count_nonzero([0.0, 2.0, 3.0]))
        2
    """
    return sum(cast(not_equal(x, 0), "int32"), axis)


def mean_over_replicas(x: Tensor) -> Tensor:
    """Returns the mean over the replicas of a distributed program, on backends that have them.

    Of the sums of replicas that have rows of a batch, it is the sum over the batch.
    """
    replica = context.current.replica
    if replica is not None:
        return replica.total_of(x)
    if is_symbolic(x) or not supports("ops.all_reduce_mean"):
        return x
    backend_ops: Any = current().ops  # not `typing.cast`, which Dynamo does not trace
    return backend_ops.all_reduce_mean(x)


def _synchronized_mean(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Returns the mean over the elements of all replicas, of which one may have fewer."""
    replica = context.current.replica
    if replica is not None:
        return replica.average(mean(x, axes, keepdims))
    if is_symbolic(x) or not supports("ops.all_reduce_mean"):
        return mean(x, axes, keepdims)
    sizes = shape(x)
    count = cast(convert_to_tensor(math.prod([sizes[i] for i in axes])), dtype_of(x))
    total = mean_over_replicas(sum(x, axes, keepdims))
    return divide(total, mean_over_replicas(count))


def _moments_axes(x: TensorLike, axes: Axis) -> tuple[int, ...]:
    return normalize_axes(axes, len(shape(x)), "ops.moments", "axes")


@op(upcast_half=True)
def moments(
    x: TensorLike, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes. Half precision is averaged in float32.

    Args:
        x: Float tensor of any shape.
        axes: Axis or axes to reduce.
        keepdims: Whether to keep the reduced axes, with size 1.
        synchronized: Whether to average over the elements of all replicas of a distributed
            program: the processes of `torch.distributed`, or the replicas of a
            `tf.distribute.Strategy`. JAX arrays are global, and always averaged as a whole.

    Returns:
        `(mean, variance)`, both of the reduced shape and the dtype of `x`.

    Example:
        >>> [float(v) for v in moments([1.0, 3.0], axes=[0])]
        [2.0, 1.0]
    """
    axes = _moments_axes(x, axes)
    x = cast(x, dtypes.float_type(dtype_of(x)))
    average = _synchronized_mean if synchronized else mean
    center = average(x, axes, True)
    variance = average(square(x - stop_gradient(center)), axes, keepdims)
    return center if keepdims else squeeze(center, axes), variance


@op(rule=cumulative)
def cumsum(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Cumulative sum along an axis.

    Args:
        x: Tensor of any shape.
        axis: Axis to accumulate along; None for the flattened tensor.
        dtype: Dtype of the result; by default the dtype of `x`, and int32 for booleans.

    Returns:
        Tensor of the shape of `x`; of rank 1 if `axis` is None.

    Example:
        >>> convert_to_numpy(cumsum([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    ...


@op(rule=cumulative)
def cumprod(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Cumulative product along an axis.

    Args:
        x: Tensor of any shape.
        axis: Axis to accumulate along; None for the flattened tensor.
        dtype: Dtype of the result; by default the dtype of `x`, and int32 for booleans.

    Returns:
        Tensor of the shape of `x`; of rank 1 if `axis` is None.

    Example:
        >>> convert_to_numpy(cumprod([1, 2, 3])).tolist()
        [1, 2, 6]
    """
    ...
