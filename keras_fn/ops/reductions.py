"""Reductions over axes, and what is made of them."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from keras_fn.backend.contract import SupportsAllReduce
from keras_fn.backend.loader import current, supports
from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, is_symbolic, op
from keras_fn.ops._rules import (
    Axis,
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
from keras_fn.ops.core import cast, shape
from keras_fn.ops.creation import ones_like
from keras_fn.ops.logic import isfinite, not_equal, where
from keras_fn.ops.manipulation import reshape, squeeze
from keras_fn.ops.math import exp, log, sqrt
from keras_fn.types import Tensor, TensorLike


@op(rule=reduction_sum)
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
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
    ...


@op(rule=reduction_float)
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over `axis`; integers give floats.

    Example:
        >>> convert_to_numpy(mean([[1, 2], [3, 4]], axis=0)).tolist()
        [2.0, 3.0]
    """
    ...


def _product(
    x: TensorSpec, axis: Axis = None, keepdims: bool = False, dtype: Any = None
) -> TensorSpec:
    name = dtypes.standardize_dtype(dtype or dtypes.accumulator_type(x.dtype))
    return TensorSpec(reduced_shape(x.shape, axis, keepdims, "ops.prod"), name)


@op(rule=Rule(_product, promote=dtypes.accumulator_type))
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """Product over `axis`. Small integers are multiplied in 32 bits.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.
        dtype: Dtype to multiply in, and of the result.

    Returns:
        The products.

    Example:
        >>> convert_to_numpy(prod([[1, 2], [3, 4]], axis=0)).tolist()
        [3, 8]
    """
    ...


@op(rule=min_max_reduction("ops.max"))
def max(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    """Largest element over `axis`; NaN if there is one.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.
        initial: A number that takes part as if it were an element: the result where there is none.

    Returns:
        The largest elements.

    Raises:
        ValueError: An axis that is reduced has no elements, and there is no `initial`.

    Example:
        >>> convert_to_numpy(max([[1, 5], [3, 4]], axis=0)).tolist()
        [3, 5]
    """
    ...


@op(rule=min_max_reduction("ops.min"))
def min(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    """Smallest element over `axis`; NaN if there is one.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.
        initial: A number that takes part as if it were an element: the result where there is none.

    Returns:
        The smallest elements.

    Raises:
        ValueError: An axis that is reduced has no elements, and there is no `initial`.

    Example:
        >>> convert_to_numpy(min([[1, 5], [3, 4]], axis=0)).tolist()
        [1, 4]
    """
    ...


@op(rule=min_max_reduction("ops.max", promote=difference_type("ops.ptp")))
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Difference of the largest and the smallest element over `axis`.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Raises:
        ValueError: An axis that is reduced has no elements.
        TypeError: `x` is of booleans.

    Example:
        >>> convert_to_numpy(ptp([[1, 5], [3, 4]], axis=1)).tolist()
        [4, 1]
    """
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@op(rule=arg_reduction)
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int32) of the first largest element along `axis`; in the flattened tensor for None.

    Example:
        >>> convert_to_numpy(argmax([[1, 5], [3, 4]], axis=1)).tolist()
        [1, 1]
    """
    ...


@op(rule=arg_reduction)
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int32) of the first smallest element along `axis`; in the flattened tensor for None.

    Example:
        >>> convert_to_numpy(argmin([[1, 5], [3, 4]], axis=1)).tolist()
        [0, 0]
    """
    ...


@op
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Variance over `axis` (divided by the count).

    Example:
        >>> float(var([1.0, 2.0, 3.0, 4.0]))
        1.25
    """
    return mean(square(subtract(x, mean(x, axis, True))), axis, keepdims)


@op
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Standard deviation over `axis`.

    Example:
        >>> float(std([1.0, 3.0]))
        1.0
    """
    return sqrt(var(x, axis, keepdims))


@op
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over `axis`; another name of `max`."""
    return max(x, axis, keepdims)


@op
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over `axis`; another name of `min`."""
    return min(x, axis, keepdims)


def _average_weights(x: Tensor, axis: Axis, weights: Tensor) -> Tensor:
    """The weights in a shape that broadcasts with `x`."""
    sizes, received = shape(x), shape(weights)
    if len(received) == len(sizes) and _match(sizes, received):
        return weights
    if isinstance(axis, int) and len(received) == 1:
        place = normalize_axis(axis, len(sizes), "ops.average")
        if _match(sizes[place : place + 1], received):
            return reshape(weights, [-1 if i == place else 1 for i in range(len(sizes))])
    raise SpecError(
        "ops.average",
        expected=f"weights of shape {sizes}, or as many as there are elements along one axis",
        received=f"weights of shape {received} with axis={axis}",
        fix="give the axis that the weights are for",
    )


def _match(sizes: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether sizes are equal as far as they are known."""
    pairs = zip(sizes, others, strict=True)
    return not [1 for m, n in pairs if isinstance(m, int) and isinstance(n, int) and m != n]


@op
def average(x: TensorLike, axis: Axis = None, weights: TensorLike = None) -> Tensor:
    """Weighted mean over `axis`: `sum(x * weights) / sum(weights)`.

    Args:
        x: Tensor of any shape.
        axis: An axis, several, or None for all.
        weights: Weights of the shape of `x`, or of its size along one `axis`; None for the mean.

    Returns:
        The means.

    Raises:
        ValueError: The weights have another shape.

    Example:
        >>> float(average([1.0, 3.0], weights=[3.0, 1.0]))
        1.5
    """
    if weights is None:
        return mean(x, axis)
    weights = _average_weights(x, axis, weights)
    every = multiply(ones_like(x), weights)
    return divide(sum(multiply(x, weights), axis), sum(every, axis))


@op
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`log(sum(exp(x)))` over `axis`, without overflow.

    Example:
        >>> print(f"{float(logsumexp([0.0, 0.0])):.3f}")
        0.693
    """
    high = stop_gradient(max(x, axis, True))
    high = where(isfinite(high), high, 0)  # of infinities alone: inf - inf would be NaN
    total = log(sum(exp(subtract(x, high)), axis, keepdims))
    return add(total, high if keepdims else max(high, axis))


@op
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """Number (int32) of elements that are not zero, over `axis`.

    Example:
        >>> int(count_nonzero([0.0, 2.0, 3.0]))
        2
    """
    return sum(cast(not_equal(x, 0), "int32"), axis)


def _mean_of_replicas(x: Tensor) -> Tensor:
    """The mean over the copies of a distributed program, where a backend has such."""
    if is_symbolic(x) or not supports("ops.all_reduce_mean"):
        return x
    return typing.cast(SupportsAllReduce, current().ops).all_reduce_mean(x)


def _moments_axes(x: Tensor, axes: Axis) -> tuple[int, ...]:
    return normalize_axes(axes, len(shape(x)), "ops.moments")


@op
def moments(
    x: TensorLike, axes: Axis, keepdims: bool = False, synchronized: bool = False
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
    dtype = dtypes.float_type(x.dtype)
    wide = cast(x, "float32" if dtype in ("float16", "bfloat16") else dtype)
    everywhere = _mean_of_replicas if synchronized else lambda x: x
    center = everywhere(mean(wide, axes, True))
    variance = everywhere(mean(square(wide - stop_gradient(center)), axes, keepdims))
    average = center if keepdims else squeeze(center, axes)
    return cast(average, dtype), cast(variance, dtype)


@op(rule=cumulative)
def cumsum(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Running sum along `axis`; over the flattened tensor for None.

    Example:
        >>> convert_to_numpy(cumsum([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    ...


@op(rule=cumulative)
def cumprod(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Running product along `axis`; over the flattened tensor for None.

    Example:
        >>> convert_to_numpy(cumprod([1, 2, 3])).tolist()
        [1, 2, 6]
    """
    ...
