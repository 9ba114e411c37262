"""Convolutions: plain, transposed, depthwise, separable."""

from __future__ import annotations

from keras_fn.backend.conv_geometry import Sizes
from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops import _conv_shapes as _windows
from keras_fn.ops._conv_shapes import channels
from keras_fn.ops._op import Rule, op
from keras_fn.ops.manipulation import reshape
from keras_fn.types import Tensor, TensorLike


@op
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution of each channel by itself.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        kernel: Tensor of shape `(*window, channels, multiplier)`.
        strides: Steps of the window.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of the window.

    Returns:
        A tensor of the layout of `inputs`, with `channels * multiplier` channels: the
        `multiplier` results of a channel side by side.

    Example:
        >>> x, kernel = ones((1, 5, 3)), ones((2, 3, 4))
        >>> depthwise_conv(x, kernel, data_format="channels_last").shape == (1, 4, 12)
        True
    """
    *window, depth, multiplier = kernel.shape
    received = channels(tuple(inputs.shape), data_format)
    if received not in (depth, None):
        raise SpecError(
            "ops.depthwise_conv",
            expected=f"inputs of {depth} channels, as the kernel says",
            received=f"{received} channels (shape {tuple(inputs.shape)})",
            fix="check data_format and the kernel's shape",
        )
    grouped = reshape(kernel, (*window, 1, depth * multiplier))
    return conv(inputs, grouped, strides, padding, data_format, dilation_rate)


@op
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution of each channel by itself, and then of all channels at each place.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        depthwise_kernel: Tensor of shape `(*window, channels, multiplier)`.
        pointwise_kernel: Tensor of shape `(*ones, channels * multiplier, filters)`.
        strides: Steps of the window.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of the window.

    Returns:
        A tensor of the layout of `inputs`, with `filters` channels.

    Example:
        >>> x, depthwise, pointwise = ones((1, 5, 3)), ones((2, 3, 1)), ones((1, 3, 8))
        >>> separable_conv(x, depthwise, pointwise, data_format="channels_last").shape == (1, 4, 8)
        True
    """
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format)


@op(rule=Rule(_windows.conv, promote=dtypes.result_type))
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution over 1, 2 or 3 spatial axes.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        kernel: Tensor of shape `(*window, channels / groups, filters)`.
        strides: Steps of the window.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of the window.

    Returns:
        A tensor of the layout of `inputs`, with `filters` channels.

    Example:
        >>> x = ones((1, 5, 5, 3))
        >>> conv(x, ones((3, 3, 3, 4)), data_format="channels_last").shape == (1, 3, 3, 4)
        True
    """
    ...


@op(rule=Rule(_windows.conv_transpose, promote=dtypes.result_type))
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Transposed convolution: the gradient of `conv` with respect to its inputs.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        kernel: Tensor of shape `(*window, filters, channels)`.
        strides: Steps of the window in the output.
        padding: `"valid"` or `"same"`.
        output_padding: Elements added to the output's sizes; worked out by default.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of the window.

    Example:
        >>> x = ones((1, 4, 1))
        >>> conv_transpose(x, ones((3, 2, 1)), data_format="channels_last").shape == (1, 6, 2)
        True
    """
    ...
