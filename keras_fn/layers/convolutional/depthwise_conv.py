"""Depthwise convolution layers over 1 or 2 spatial axes."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn import activations
from keras_fn.layers._arguments import add_weight_from_spec, positive_int, set_weight_spec
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.convolutional.base_conv import Convolution
from keras_fn.ops.convolution import depthwise_conv
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)


class DepthwiseConv(Convolution):
    """Depthwise convolution layer: convolves each channel separately."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: ActivationLike | None = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike | None = "glorot_uniform",
        bias_initializer: InitializerLike | None = "zeros",
        depthwise_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        activity_regularizer: RegularizerLike | None = None,
        depthwise_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        **kwargs: Unpack[NamedLayerOptions],
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_int(self, "depth_multiplier", depth_multiplier)
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        set_weight_spec(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        set_weight_spec(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """Creates the kernel and the bias."""
        channels = self._channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = add_weight_from_spec(self, "depthwise", shape, name="kernel")
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the convolution of the inputs."""
        return self._add_bias_and_activate(
            depthwise_conv(
                inputs,
                self.kernel,
                self.strides,
                self.padding,
                self.data_format,
                self.dilation_rate,
            )
        )


class DepthwiseConv1D(DepthwiseConv):
    """1D depthwise convolution layer.

    Args:
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        depth_multiplier: Number of output channels for each input channel.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        depthwise_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        depthwise_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        depthwise_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same layout, with `channels * depth_multiplier` channels.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> keras.layers.DepthwiseConv1D(3)(keras.Input((10, 4))).shape
        (None, 8, 4)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """2D depthwise convolution layer.

    Args:
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        depth_multiplier: Number of output channels for each input channel.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        depthwise_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        depthwise_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        depthwise_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same layout, with `channels * depth_multiplier` channels.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(keras.Input((8, 8, 4))).shape
        (None, 6, 6, 8)
    """

    rank = 2
