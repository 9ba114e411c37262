"""Convolutions that treat each channel by itself."""

from typing import Any

from keras_fn import activations
from keras_fn.layers._arguments import add_described, count, describe
from keras_fn.layers.convolutional.base_conv import Convolution
from keras_fn.ops.convolution import separable_conv


class SeparableConv(Convolution):
    """Convolution of each channel by itself, then of all channels at each place.

    Args:
        filters: Number of channels of the output.
        kernel_size: Sizes of the window: an integer, or one for each axis.
        strides: Steps of the window, likewise.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of a window.
        depth_multiplier: How many channels are made of each in between.
        activation: Applied to the result; none by default.
        use_bias: Whether a bias is added to each channel.
        depthwise_initializer: How the first kernel begins.
        pointwise_initializer: How the second kernel begins.
        bias_initializer: How the bias begins.
        depthwise_regularizer: Adds a loss of the first kernel.
        pointwise_regularizer: Adds a loss of the second kernel.
        bias_regularizer: Adds a loss of the bias.
        activity_regularizer: Adds a loss of the output.
        depthwise_constraint: Applied to the first kernel after each update.
        pointwise_constraint: Applied to the second kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input: a tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
    Output: a tensor of the same layout, with `filters` channels.

    Raises:
        ValueError: Arguments that cannot be used.

    References:
        Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016.
        https://arxiv.org/abs/1610.02357
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_filters(filters)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = count(self, "depth_multiplier", depth_multiplier)
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        describe(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        describe(
            self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint
        )
        describe(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes the kernels, and the bias if there is one."""
        channels, multiplier = self._channels(input_shape), self.depth_multiplier
        self.depthwise_kernel = add_described(
            self, "depthwise", (*self.kernel_size, channels, multiplier), name="depthwise_kernel"
        )
        shape = (*(1,) * self.rank, channels * multiplier, self.filters)
        self.pointwise_kernel = add_described(self, "pointwise", shape, name="pointwise_kernel")
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """Returns the convolved inputs."""
        return self._completed(
            separable_conv(
                inputs,
                self.depthwise_kernel,
                self.pointwise_kernel,
                self.strides,
                self.padding,
                self.data_format,
                self.dilation_rate,
            )
        )


class SeparableConv1D(SeparableConv):
    """Separable convolution over one axis. For the arguments see `SeparableConv`.

    Example:
        >>> keras.layers.SeparableConv1D(8, 3)(keras.Input((10, 4))).shape
        (None, 8, 8)
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """Separable convolution over two axes. For the arguments see `SeparableConv`.

    Example:
        >>> keras.layers.SeparableConv2D(8, 3, padding="same")(keras.Input((9, 9, 4))).shape
        (None, 9, 9, 8)
    """

    rank = 2
