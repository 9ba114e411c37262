"""Depthwise separable convolution layers over 1 or 2 spatial axes."""

from collections.abc import Sequence
from typing import Unpack

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
    """Depthwise separable convolution layer.

    A depthwise convolution, then a pointwise one, which mixes the channels at each position.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        """Creates the kernels and the bias."""
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
        """Returns the convolution of the inputs."""
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
    """1D depthwise separable convolution layer.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
        depth_multiplier: Number of intermediate channels for each input channel.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        depthwise_initializer: Initializer for the depthwise kernel.
        pointwise_initializer: Initializer for the pointwise kernel.
        bias_initializer: Initializer for the bias.
        depthwise_regularizer: Regularizer applied to the depthwise kernel.
        pointwise_regularizer: Regularizer applied to the pointwise kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        depthwise_constraint: Constraint applied to the depthwise kernel after each update.
        pointwise_constraint: Constraint applied to the pointwise kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid.

    References:
        Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016.
        https://arxiv.org/abs/1610.02357

    Example:
        >>> keras.layers.SeparableConv1D(8, 3)(keras.Input((10, 4))).shape
        (None, 8, 8)
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """2D depthwise separable convolution layer.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
        depth_multiplier: Number of intermediate channels for each input channel.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        depthwise_initializer: Initializer for the depthwise kernel.
        pointwise_initializer: Initializer for the pointwise kernel.
        bias_initializer: Initializer for the bias.
        depthwise_regularizer: Regularizer applied to the depthwise kernel.
        pointwise_regularizer: Regularizer applied to the pointwise kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        depthwise_constraint: Constraint applied to the depthwise kernel after each update.
        pointwise_constraint: Constraint applied to the pointwise kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid.

    References:
        Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016.
        https://arxiv.org/abs/1610.02357

    Example:
        >>> keras.layers.SeparableConv2D(8, 3, padding="same")(keras.Input((9, 9, 4))).shape
        (None, 9, 9, 8)
    """

    rank = 2
