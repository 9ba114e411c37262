"""Transposed convolution layers over 1, 2 or 3 spatial axes."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn import activations
from keras_fn.layers._arguments import (
    add_weight_from_spec,
    argument_error,
    int_tuple,
    refuse_strides_with_dilation,
    set_weight_spec,
)
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.convolutional.base_conv import Convolution
from keras_fn.ops.convolution import conv_transpose
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)


class ConvTranspose(Convolution):
    """Transposed convolution layer: each input element contributes to a window of the output.

    It is the gradient of the convolution with the same arguments, so it restores the sizes that
    `Conv` reduced.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: ActivationLike | None = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        bias_initializer: InitializerLike | None = "zeros",
        kernel_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        activity_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        **kwargs: Unpack[NamedLayerOptions],
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_filters(filters)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        refuse_strides_with_dilation(self)
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = int_tuple(self, "output_padding", output_padding, self.rank, 0)
            if any(n >= s for n, s in zip(self.output_padding, self.strides, strict=True)):
                raise argument_error(
                    self,
                    "output_padding",
                    f"less than strides={self.strides}",
                    output_padding,
                    "leave it None, or choose larger strides",
                )
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        set_weight_spec(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_weight_spec(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """Creates the kernel and the bias."""
        channels = self._channels(input_shape)
        self.kernel = add_weight_from_spec(
            self, "kernel", (*self.kernel_size, self.filters, channels)
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the transposed convolution of the inputs."""
        return self._add_bias_and_activate(
            conv_transpose(
                inputs,
                self.kernel,
                self.strides,
                self.padding,
                self.output_padding,
                self.data_format,
                self.dilation_rate,
            )
        )


class Conv1DTranspose(ConvTranspose):
    """1D transposed convolution layer.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window in the output: an integer, or one for each axis.
        padding: `"valid"` for the full output, `"same"` for `strides` times the input's sizes.
        output_padding: Elements added at the end of each axis, fewer than `strides`; inferred by
            default.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
            Either this or `strides` must be 1.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid, or incompatible with the others or with the input.

    References:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
        https://arxiv.org/abs/1603.07285

    Example:
        >>> keras.layers.Conv1DTranspose(8, 3, strides=2)(keras.Input((10, 4))).shape
        (None, 21, 8)
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """2D transposed convolution layer.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window in the output: an integer, or one for each axis.
        padding: `"valid"` for the full output, `"same"` for `strides` times the input's sizes.
        output_padding: Elements added at the end of each axis, fewer than `strides`; inferred by
            default.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
            Either this or `strides` must be 1.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid, or incompatible with the others or with the input.

    References:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
        https://arxiv.org/abs/1603.07285

    Example:
        >>> layer = keras.layers.Conv2DTranspose(8, 3, strides=2, padding="same")
        >>> layer(keras.Input((7, 7, 4))).shape
        (None, 14, 14, 8)
    """

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """3D transposed convolution layer.

    As positional arguments, `data_format` comes before `output_padding`, as in Keras.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window in the output: an integer, or one for each axis.
        padding: `"valid"` for the full output, `"same"` for `strides` times the input's sizes.
        output_padding: Elements added at the end of each axis, fewer than `strides`; inferred by
            default.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
            Either this or `strides` must be 1.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid, or incompatible with the others or with the input.

    References:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
        https://arxiv.org/abs/1603.07285

    Example:
        >>> keras.layers.Conv3DTranspose(8, 3)(keras.Input((5, 5, 5, 4))).shape
        (None, 7, 7, 7, 8)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: ActivationLike | None = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        bias_initializer: InitializerLike | None = "zeros",
        kernel_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        activity_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        **kwargs: Unpack[NamedLayerOptions],
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
