"""Convolutions: standard, transposed, depthwise, separable."""

from __future__ import annotations

from typing import Any

from keras_fn.backend.conv_geometry import Sizes
from keras_fn.core import dtypes
from keras_fn.core.shapes import is_size_compatible
from keras_fn.errors import SpecError
from keras_fn.ops import _conv_shapes
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops.arithmetic import add
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.manipulation import reshape
from keras_fn.settings import standardize_data_format
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
    """Depthwise convolution: convolves each channel with its own filters.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`, with
            1, 2 or 3 spatial axes.
        kernel: Tensor of shape `(*window, channels, depth_multiplier)`.
        strides: Stride of the window: an integer, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        dilation_rate: Step between the elements of the window, an integer or one for each axis.

    Returns:
        A tensor in the data format of `inputs`, with `channels * depth_multiplier` channels: the
        results of an input channel are adjacent.

    Raises:
        ValueError: The shapes do not match, or the window does not fit.

    Example:
        >>> x, kernel = ones((1, 5, 3)), ones((2, 3, 4))
        >>> depthwise_conv(x, kernel, data_format="channels_last").shape == (1, 4, 12)
        True
    """
    *window, channels, depth_multiplier = shape_of(kernel)
    shape = spec_of(inputs).shape
    received = _conv_shapes.channels(shape, data_format)
    if not is_size_compatible(received, channels):
        raise SpecError(
            "ops.depthwise_conv",
            expected=f"inputs of {channels} channels, as in the kernel",
            received=f"{received} channels (shape {shape})",
            fix="check data_format and the kernel's shape",
        )
    grouped = reshape(kernel, (*window, 1, channels * depth_multiplier))
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
    """Separable convolution: a depthwise convolution, then a pointwise one.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`, with
            1, 2 or 3 spatial axes.
        depthwise_kernel: Tensor of shape `(*window, channels, depth_multiplier)`.
        pointwise_kernel: Tensor of shape `(1, ..., 1, channels * depth_multiplier, filters)`.
        strides: Stride of the window: an integer, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        dilation_rate: Step between the elements of the window, an integer or one for each axis.

    Returns:
        A tensor in the data format of `inputs`, with `filters` channels.

    Raises:
        ValueError: The shapes do not match, or the window does not fit.

    Example:
        >>> x, depthwise, pointwise = ones((1, 5, 3)), ones((2, 3, 1)), ones((1, 3, 8))
        >>> separable_conv(x, depthwise, pointwise, data_format="channels_last").shape == (1, 4, 8)
        True

    References:
        Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016.
        https://arxiv.org/abs/1610.02357
    """
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format)


@op(rule=Rule(_conv_shapes.conv, promote=dtypes.result_type))
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution (cross-correlation) over 1, 2 or 3 spatial axes.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`.
        kernel: Tensor of shape `(*window, channels // groups, filters)`. The number of groups
            follows from the channels of `inputs`.
        strides: Stride of the window: an integer, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        dilation_rate: Step between the elements of the window, an integer or one for each axis.

    Returns:
        A tensor in the data format of `inputs`, with `filters` channels, in the dtype that the
        arguments promote to.

    Raises:
        ValueError: The shapes do not match, or the window does not fit.

    Example:
        >>> x = ones((1, 5, 5, 3))
        >>> conv(x, ones((3, 3, 3, 4)), data_format="channels_last").shape == (1, 3, 3, 4)
        True
    """
    ...


def _conv_with_bias(
    inputs: TensorSpec, kernel: TensorSpec, bias: TensorSpec, *args: Any, **options: Any
) -> TensorSpec:
    spec = _conv_shapes.conv(inputs, kernel, *args, **options)
    if len(bias.shape) != 1 or not is_size_compatible(bias.shape[0], kernel.shape[-1]):
        raise SpecError(
            "ops",
            expected=f"a bias of shape ({kernel.shape[-1]},), one number for each filter",
            received=f"shape {bias.shape}",
            fix="check the shapes of the kernel and the bias",
        )
    return spec


@op(rule=Rule(_conv_with_bias, promote=dtypes.result_type))
def conv_with_bias(
    inputs: TensorLike,
    kernel: TensorLike,
    bias: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution with a bias for each filter, in one call where the backend has one.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`.
        kernel: Tensor of shape `(*window, channels // groups, filters)`.
        bias: Tensor of shape `(filters,)`.
        strides: Stride of the window: an integer, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        dilation_rate: Step between the elements of the window, an integer or one for each axis.

    Returns:
        A tensor in the data format of `inputs`, with `filters` channels.

    Raises:
        ValueError: The shapes do not match, or the window does not fit.

    Example:
        >>> from keras_fn.ops.convolution import conv_with_bias
        >>> y = conv_with_bias(ones((1, 2, 1)), ones((1, 1, 3)), ones((3,)))
        >>> convert_to_numpy(y[0, 0]).tolist()
        [2.0, 2.0, 2.0]
    """
    y = conv(inputs, kernel, strides, padding, data_format, dilation_rate)
    if standardize_data_format(data_format) == "channels_last":
        return add(y, bias)
    return add(y, reshape(bias, (-1, *[1] * (len(y.shape) - 2))))


@op(rule=Rule(_conv_shapes.conv_transpose, promote=dtypes.result_type))
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Transposed convolution (deconvolution): the gradient of `conv` with respect to its inputs.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`, with
            1, 2 or 3 spatial axes.
        kernel: Tensor of shape `(*window, filters, channels)`.
        strides: Stride of the window in the output: an integer, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        output_padding: Number of elements added to the sizes of the output: an integer, or one for
            each spatial axis. By default it is inferred.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        dilation_rate: Step between the elements of the window, an integer or one for each axis.

    Returns:
        A tensor in the data format of `inputs`, with `filters` channels, in the dtype that the
        arguments promote to.

    Raises:
        ValueError: The shapes do not match.

    Example:
        >>> x = ones((1, 4, 1))
        >>> conv_transpose(x, ones((3, 2, 1)), data_format="channels_last").shape == (1, 6, 2)
        True
    """
    ...
