"""Convolution layers over 1, 2 or 3 spatial axes."""

from collections.abc import Sequence
from typing import Any, Unpack, cast

from keras_fn import activations
from keras_fn.core.variable import Variable
from keras_fn.layers._arguments import (
    add_weight_from_spec,
    refuse_strides_with_dilation,
    set_weight_spec,
)
from keras_fn.layers._lora import BaseWeight, EffectiveWeight, LoraLayer
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.convolutional.base_conv import Convolution
from keras_fn.ops.convolution import conv, conv_with_bias
from keras_fn.ops.manipulation import pad
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)


class Conv(LoraLayer, Convolution):
    """Convolution layer: one affine map, applied to every window of the input."""

    kernel: Variable = cast(Any, EffectiveWeight("kernel"))
    _kernel: Variable = cast(Any, BaseWeight("kernel"))

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Unpack[NamedLayerOptions],
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_filters(filters, groups)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        refuse_strides_with_dilation(self)
        self.groups, self.use_bias = groups, use_bias
        self.activation = activations.get(activation)
        set_weight_spec(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_weight_spec(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._set_lora(lora_rank, lora_alpha)
        self._before: Any = None  # zeros before the input, where the padding is causal
        if self.padding == "causal":
            reach = (self.kernel_size[0] - 1) * self.dilation_rate[0]
            ends = [(reach, 0), (0, 0)]
            self._before = ((0, 0), *(ends if self._channel_axis == -1 else reversed(ends)))

    def build(self, input_shape: Shape) -> None:
        """Creates the kernel and the bias."""
        channels = self._channels(input_shape, self.groups)
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = add_weight_from_spec(self, "kernel", shape)
        self._add_bias(self.filters)
        self._start_lora()

    def convolution_op(self, inputs: Tensor, kernel: Tensor | Variable) -> Tensor:
        """Returns the convolution of the inputs, without bias and activation.

        Subclasses may override it.

        Args:
            inputs: A tensor of shape `(batch, *sizes, channels)`, or with the channels first.
            kernel: The kernel, of shape `(*kernel_size, channels // groups, filters)`.

        Returns:
            A tensor of the same data format, with `filters` channels.
        """
        inputs, *options = self._arguments(inputs)
        return conv(inputs, kernel, *options)

    def _arguments(self, inputs: Any) -> tuple[Any, ...]:
        """Returns the inputs and the options of the op; a causal padding is made here."""
        padding = self.padding
        if self._before is not None:
            inputs, padding = pad(inputs, self._before), "valid"
        return inputs, self.strides, padding, self.data_format, self.dilation_rate

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the convolution of the inputs."""
        if self.bias is None or type(self).convolution_op is not Conv.convolution_op:
            return self._add_bias_and_activate(self.convolution_op(inputs, self.kernel))
        inputs, *options = self._arguments(inputs)
        y = conv_with_bias(inputs, self.kernel, self.bias, *options)
        return y if self.activation is None else self.activation(y)


class Conv1D(Conv):
    """1D convolution layer, over an axis such as time.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps; in 1D also `"causal"`: windows that end at the position of the output.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
            Either this or `strides` must be 1.
        groups: Number of groups of channels; each group is convolved separately.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        lora_rank: Rank of the low-rank adaptation (LoRA): the kernel is frozen, and an update of it
            is trained that is the product of two thin matrices. None: no adaptation. See
            `enable_lora`.
        lora_alpha: The update is scaled by `lora_alpha / lora_rank`. By default `lora_rank`.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid, or incompatible with the others or with the input.

    Example:
        >>> keras.layers.Conv1D(8, 3, padding="causal")(keras.Input((10, 4))).shape
        (None, 10, 8)
    """

    rank = 1
    _may_be_causal = True


class Conv2D(Conv):
    """2D convolution layer, over the axes of images.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps; in 1D also `"causal"`: windows that end at the position of the output.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
            Either this or `strides` must be 1.
        groups: Number of groups of channels; each group is convolved separately.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        lora_rank: Rank of the low-rank adaptation (LoRA): the kernel is frozen, and an update of it
            is trained that is the product of two thin matrices. None: no adaptation. See
            `enable_lora`.
        lora_alpha: The update is scaled by `lora_alpha / lora_rank`. By default `lora_rank`.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid, or incompatible with the others or with the input.

    Example:
        >>> keras.layers.Conv2D(8, 3, activation="relu")(keras.Input((28, 28, 1))).shape
        (None, 26, 26, 8)
    """

    rank = 2


class Conv3D(Conv):
    """3D convolution layer, over the axes of volumes.

    Args:
        filters: Number of channels of the output.
        kernel_size: Size of the convolution window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps; in 1D also `"causal"`: windows that end at the position of the output.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window: an integer, or one for each axis.
            Either this or `strides` must be 1.
        groups: Number of groups of channels; each group is convolved separately.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias to each channel.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        lora_rank: Rank of the low-rank adaptation (LoRA): the kernel is frozen, and an update of it
            is trained that is the product of two thin matrices. None: no adaptation. See
            `enable_lora`.
        lora_alpha: The update is scaled by `lora_alpha / lora_rank`. By default `lora_rank`.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format, with `filters` channels.

    Raises:
        ValueError: An argument is invalid, or incompatible with the others or with the input.

    Example:
        >>> keras.layers.Conv3D(8, 3, padding="same")(keras.Input((9, 9, 9, 1))).shape
        (None, 9, 9, 9, 8)
    """

    rank = 3
