"""Convolutions that treat each channel by itself."""

from typing import Any

from keras_fn import activations
from keras_fn.layers._arguments import add_described, count, describe
from keras_fn.layers.convolutional.base_conv import Convolution
from keras_fn.ops.convolution import depthwise_conv


class DepthwiseConv(Convolution):
    """Convolution of each channel by itself.

    Args:
        kernel_size: Sizes of the window: an integer, or one for each axis.
        strides: Steps of the window, likewise.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        depth_multiplier: How many channels are made of each.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of a window.
        activation: Applied to the result; none by default.
        use_bias: Whether a bias is added to each channel.
        depthwise_initializer: How the kernel begins.
        bias_initializer: How the bias begins.
        depthwise_regularizer: Adds a loss of the kernel.
        bias_regularizer: Adds a loss of the bias.
        activity_regularizer: Adds a loss of the output.
        depthwise_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input: a tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
    Output: a tensor of the same layout, with `channels * depth_multiplier` channels.

    Raises:
        ValueError: Arguments that cannot be used.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = count(self, "depth_multiplier", depth_multiplier)
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        describe(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        describe(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the bias if there is one."""
        channels = self._channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = add_described(self, "depthwise", shape, name="kernel")
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        """Returns the convolved inputs."""
        return self._completed(
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
    """Convolution of each channel over one axis. For the arguments see `DepthwiseConv`.

    Example:
        >>> keras.layers.DepthwiseConv1D(3)(keras.Input((10, 4))).shape
        (None, 8, 4)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Convolution of each channel over two axes. For the arguments see `DepthwiseConv`.

    Example:
        >>> keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(keras.Input((8, 8, 4))).shape
        (None, 6, 6, 8)
    """

    rank = 2
