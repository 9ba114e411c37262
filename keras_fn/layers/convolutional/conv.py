"""Convolutions over 1, 2 or 3 spatial axes."""

from typing import Any, Unpack

from keras_fn import activations
from keras_fn.layers._arguments import add_weight_from_spec, set_weight_spec
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.convolutional.base_conv import Convolution
from keras_fn.ops.convolution import conv
from keras_fn.ops.manipulation import pad
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)


class Conv(Convolution):
    """Convolution: each output is an affine map of a window of the input, the same everywhere.

    Args:
        filters: Number of channels of the output.
        kernel_size: Sizes of the window: an integer, or one for each axis.
        strides: Steps of the window, likewise.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps; over one axis also `"causal"`: windows that end at their place.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Steps between the elements of a window. Not both this and `strides`
            may be above 1.
        groups: Number of groups of channels that are convolved apart.
        activation: Applied to the result; none by default.
        use_bias: Whether a bias is added to each channel.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or with the channels before the
        sizes.

    Output shape:
        A tensor of the same layout, with `filters` channels.

    Raises:
        ValueError: Arguments that do not fit each other or the input.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        self._set_filters(filters, groups)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._refuse_strides_with_dilation()
        self.groups, self.use_bias = groups, use_bias
        self.activation = activations.get(activation)
        set_weight_spec(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_weight_spec(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._before: Any = None  # zeros before the input, where the padding is causal
        if self.padding == "causal":
            reach = (self.kernel_size[0] - 1) * self.dilation_rate[0]
            ends = [(reach, 0), (0, 0)]
            self._before = ((0, 0), *(ends if self._channel_axis == -1 else reversed(ends)))

    def build(self, input_shape: Shape) -> None:
        """Makes the kernel, and the bias if there is one."""
        channels = self._channels(input_shape, self.groups)
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = add_weight_from_spec(self, "kernel", shape)
        self._add_bias(self.filters)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Returns the bare convolution. Subclasses may write another."""
        padding = self.padding
        if self._before is not None:
            inputs, padding = pad(inputs, self._before), "valid"
        return conv(inputs, kernel, self.strides, padding, self.data_format, self.dilation_rate)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the convolved inputs."""
        return self._add_bias_and_activate(self.convolution_op(inputs, self.kernel))


class Conv1D(Conv):
    """Convolution over one axis, such as time. For the arguments see `Conv`.

    Example:
        >>> keras.layers.Conv1D(8, 3, padding="causal")(keras.Input((10, 4))).shape
        (None, 10, 8)
    """

    rank = 1
    _may_be_causal = True


class Conv2D(Conv):
    """Convolution over two axes, such as those of an image. For the arguments see `Conv`.

    Example:
        >>> keras.layers.Conv2D(8, 3, activation="relu")(keras.Input((28, 28, 1))).shape
        (None, 26, 26, 8)
    """

    rank = 2


class Conv3D(Conv):
    """Convolution over three axes, such as those of a volume. For the arguments see `Conv`.

    Example:
        >>> keras.layers.Conv3D(8, 3, padding="same")(keras.Input((9, 9, 9, 1))).shape
        (None, 9, 9, 9, 8)
    """

    rank = 3
