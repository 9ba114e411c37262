"""Normalization: batch, layer and RMS normalization, and scaling to unit norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import op, spec_of
from keras_fn.ops._rules import normalize_axes, normalize_axis
from keras_fn.ops.arithmetic import (
    add,
    divide,
    maximum,
    multiply,
    negative,
    square,
    subtract,
)
from keras_fn.ops.autodiff import stop_gradient
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.linalg.norms import norm
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import rsqrt
from keras_fn.ops.reductions import mean, moments, sum
from keras_fn.settings import settings
from keras_fn.types import Axis, Tensor, TensorLike


@op
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
) -> Tensor:
    """Layer normalization: `(x - mean) / sqrt(variance + epsilon) * gamma + beta` along `axis`.

    Args:
        x: Tensor of any shape; integers are cast to the default float dtype.
        gamma: Scale, whose shape is the sizes of the normalized axes in ascending order; or None.
        beta: Offset of the same shape, or None.
        axis: Axis or axes to normalize along.
        epsilon: Added to the variance; `keras.config.epsilon()` by default.

    Returns:
        A tensor of the shape and dtype of `x`. Half precision is computed in float32.

    Raises:
        ValueError: `axis` is out of range, or `gamma` or `beta` has the wrong shape.

    Example:
        >>> convert_to_numpy(layer_normalization([1.0, 3.0])).round(3).tolist()
        [-1.0, 1.0]

    References:
        Ba, Kiros and Hinton, "Layer Normalization", 2016. https://arxiv.org/abs/1607.06450
    """
    epsilon = settings.epsilon if epsilon is None else epsilon
    axes, x32, dtype = _to_float32(x, axis, "ops.layer_normalization")
    _check_sizes("ops.layer_normalization", x32, axes, gamma=gamma, beta=beta)
    center, variance = moments(x32, axes, keepdims=True)
    y = multiply(subtract(x32, center), rsqrt(add(variance, epsilon)))
    if gamma is not None:
        y = multiply(y, _along(gamma, axes, x32))
    if beta is not None:
        y = add(y, _along(beta, axes, x32))
    return cast(y, dtype)


@op
def rms_normalization(
    x: TensorLike, scale: TensorLike | None = None, axis: Axis = -1, epsilon: float | None = None
) -> Tensor:
    """Root mean square (RMS) normalization: `x / sqrt(mean(x**2) + epsilon) * scale` along `axis`.

    Args:
        x: Tensor of any shape; integers are cast to the default float dtype.
        scale: Scale, whose shape is the sizes of the normalized axes in ascending order; or None.
        axis: Axis or axes to normalize along.
        epsilon: Added to the mean square; `keras.config.epsilon()` by default.

    Returns:
        A tensor of the shape and dtype of `x`. Half precision is computed in float32.

    Raises:
        ValueError: `axis` is out of range, or `scale` has the wrong shape.

    Example:
        >>> convert_to_numpy(rms_normalization([2.0, -2.0])).round(3).tolist()
        [1.0, -1.0]

    References:
        Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
        https://arxiv.org/abs/1910.07467
    """
    epsilon = settings.epsilon if epsilon is None else epsilon
    axes, x32, dtype = _to_float32(x, axis, "ops.rms_normalization")
    _check_sizes("ops.rms_normalization", x32, axes, scale=scale)
    y = multiply(x32, rsqrt(add(mean(square(x32), axes, keepdims=True), epsilon)))
    if scale is not None:
        y = multiply(y, _along(scale, axes, x32))
    return cast(y, dtype)


@op
def batch_norm_train(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, axis: int, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalization in training: `batch_normalization` with the moments of `x`.

    Args:
        x: Float tensor, of float32 at least.
        gamma: Scale of shape `(channels,)`, or None.
        beta: Offset of shape `(channels,)`, or None.
        axis: The axis of the channels.
        epsilon: Added to the variance.

    Returns:
        The normalized tensor; the mean and the variance of each channel, of shape `(channels,)`,
        through which no gradient flows.
    """
    channel_axis = normalize_axis(axis, len(x.shape), "ops.batch_norm_train")
    center, variance = moments(x, [i for i in range(len(x.shape)) if i != channel_axis])
    y = batch_normalization(x, center, variance, axis, beta, gamma, epsilon)
    return y, stop_gradient(center), stop_gradient(variance)


def _to_float32(x: Any, axis: Axis, source: str) -> tuple[tuple[int, ...], Tensor, Any]:
    """Returns the axes in ascending order, `x` in float32 at least, and the dtype of `x`."""
    axes = tuple(sorted(normalize_axes(axis, len(x.shape), source)))
    return axes, cast(x, dtypes.result_type(x.dtype, "float32")), x.dtype


def _check_sizes(source: str, x: Tensor, axes: tuple[int, ...], **values: Any) -> None:
    """Raises unless the values have the sizes of the axes."""
    sizes = tuple(x.shape[i] for i in axes)
    for name, value in values.items():
        if value is None:
            continue
        shape = tuple(value.shape)
        if not is_compatible(shape, sizes):
            raise SpecError(
                source,
                expected=f"{name} of shape {sizes}: the sizes of axis {axes}",
                received=f"shape {shape}",
                fix="pass one number for each element along the axes",
            )


def _along(values: Any, axes: tuple[int, ...], x: Tensor) -> Tensor:
    """Returns the values in an order of axes in which they broadcast against `x`."""
    rank = len(x.shape)
    values = cast(values, x.dtype)
    if axes == tuple(range(rank - len(axes), rank)):
        return values
    return reshape(values, [n if i in axes else 1 for i, n in enumerate(shape_of(x))])


@op
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Batch normalization with given moments.

    `(x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Args:
        x: Tensor of any shape; integers are cast to the default float dtype.
        mean: Mean of each channel, of shape `(channels,)`.
        variance: Variance of each channel, of shape `(channels,)`.
        axis: The axis of the channels.
        offset: Offset (beta) of shape `(channels,)`, or None.
        scale: Scale (gamma) of shape `(channels,)`, or None.
        epsilon: Added to the variance.

    Returns:
        A float tensor of the shape of `x`.

    Raises:
        ValueError: `axis` is out of range, or an argument is not of shape `(channels,)`.

    Example:
        >>> y = batch_normalization([[2.0]], [1.0], [1.0], axis=-1, epsilon=0.0)
        >>> convert_to_numpy(y).tolist()
        [[1.0]]

    References:
        Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
        Internal Covariate Shift", 2015. https://arxiv.org/abs/1502.03167
    """
    values = {"mean": mean, "variance": variance, "offset": offset, "scale": scale}
    axis, rank, dtype = _check_channels(x, axis, values)
    wide = dtypes.result_type(dtype, "float32")  # where x is near the mean, the sum below cancels
    mean, variance = cast(mean, wide), cast(variance, wide)
    factor = rsqrt(add(variance, epsilon))
    factor = factor if scale is None else multiply(factor, scale)
    shift = multiply(negative(mean), factor)
    shift = shift if offset is None else add(shift, offset)
    if axis < rank - 1:
        shape = [1] * rank
        shape[axis] = -1
        factor, shift = reshape(factor, shape), reshape(shift, shape)
    y = add(multiply(cast(x, wide), cast(factor, wide)), cast(shift, wide))
    return cast(y, dtype)


def _check_channels(x: Any, axis: int, values: dict[str, Any]) -> tuple[int, int, str]:
    """Checks that the values have one element for each channel.

    Returns:
        The non-negative axis, the rank and the float dtype of `x`.
    """
    rank = len(x.shape)
    axis = normalize_axis(axis, rank, "ops.batch_normalization")
    size = x.shape[axis]
    for name, value in values.items():
        shape = None if value is None else tuple(value.shape)
        if shape is None or (len(shape) == 1 and (size is None or shape[0] in (size, None))):
            continue
        raise SpecError(
            "ops.batch_normalization",
            expected=f"{name} of shape {(size,)}, the size of axis",
            received=f"shape {shape}",
            fix="pass one number for each channel",
        )
    return axis, rank, dtypes.float_type(x.dtype)


@op(upcast_half=True)
def normalize(
    x: TensorLike,
    axis: int | Sequence[int] = -1,
    order: float = 2,
    epsilon: float | None = None,
) -> Tensor:
    """Scales `x` to unit norm along `axis`.

    Args:
        x: Tensor of any shape; integers are cast to the default float dtype.
        axis: Axis along which the norm is taken, or axes.
        order: Order p of the norm, `sum(|x|**p)**(1 / p)`; infinity for the largest magnitude.
        epsilon: Lower bound of the norm; 1e-7 by default.

    Returns:
        A float tensor of the shape of `x`.

    Raises:
        ValueError: `order` is not a number.

    Example:
        >>> print(convert_to_numpy(normalize([3.0, 4.0])).round(2))
        [0.6 0.8]
    """
    epsilon = 1e-7 if epsilon is None else epsilon
    if isinstance(order, str):
        raise SpecError(
            "ops.normalize",
            expected="order: a number, or infinity",
            received=f"order={order!r}",
            fix="for example order=2",
        )
    x = cast(x, dtypes.float_type(spec_of(x).dtype))
    if order == 2:
        total = sum(multiply(x, x), axis, True)
        return multiply(x, rsqrt(maximum(total, epsilon**2)))
    return divide(x, maximum(norm(x, order, axis, True), epsilon))
