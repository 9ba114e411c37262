"""Convolutions that treat each channel by itself."""

from typing import Any, Unpack

from keras_fn import activations
from keras_fn.layers._arguments import add_weight_from_spec, positive_int, set_weight_spec
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.convolutional.base_conv import Convolution
from keras_fn.ops.convolution import separable_conv
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)


class SeparableConv(Convolution):
    """Convolution of each channel by itself, then of all channels at each place.

    Args:
        filters: Number of channels of the output.
        kernel_size: Sizes of the window: an integer, or one for each axis.
        strides: Steps of the window, likewise.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Steps between the elements of a window.
        depth_multiplier: How many channels are made of each in between.
        activation: Applied to the result; none by default.
        use_bias: Whether a bias is added to each channel.
        depthwise_initializer: Initializer for the first kernel.
        pointwise_initializer: Initializer for the second kernel.
        bias_initializer: Initializer for the bias.
        depthwise_regularizer: Regularizer applied to the first kernel.
        pointwise_regularizer: Regularizer applied to the second kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        depthwise_constraint: Constraint applied to the first kernel after each update.
        pointwise_constraint: Constraint applied to the second kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or with the channels before the
        sizes.

    Output shape:
        A tensor of the same layout, with `filters` channels.

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
        activation: ActivationLike | None = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike | None = "glorot_uniform",
        pointwise_initializer: InitializerLike | None = "glorot_uniform",
        bias_initializer: InitializerLike | None = "zeros",
        depthwise_regularizer: RegularizerLike | None = None,
        pointwise_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        activity_regularizer: RegularizerLike | None = None,
        depthwise_constraint: ConstraintLike | None = None,
        pointwise_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        **kwargs: Unpack[NamedLayerOptions],
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_filters(filters)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_int(self, "depth_multiplier", depth_multiplier)
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        set_weight_spec(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        set_weight_spec(
            self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint
        )
        set_weight_spec(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """Makes the kernels, and the bias if there is one."""
        channels, multiplier = self._channels(input_shape), self.depth_multiplier
        self.depthwise_kernel = add_weight_from_spec(
            self, "depthwise", (*self.kernel_size, channels, multiplier), name="depthwise_kernel"
        )
        shape = (*(1,) * self.rank, channels * multiplier, self.filters)
        self.pointwise_kernel = add_weight_from_spec(
            self, "pointwise", shape, name="pointwise_kernel"
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the convolved inputs."""
        return self._add_bias_and_activate(
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
