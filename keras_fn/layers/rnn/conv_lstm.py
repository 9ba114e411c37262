"""Convolutional long short-term memory (ConvLSTM): the cell and the layers."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Unpack

from keras_fn import activations
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.registry import mark_builtin
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import int_tuple, one_of, positive_int, refuse_strides_with_dilation
from keras_fn.layers._options import CellOptions, ConvRecurrentLayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.rnn._cell import Cell, gated_product
from keras_fn.layers.rnn._cell_layer import CellLayer, split_cell_arguments
from keras_fn.layers.rnn.lstm import UnitForgetBias
from keras_fn.ops._conv_shapes import assemble, count_windows, spatial, window_sizes
from keras_fn.ops.arithmetic import add
from keras_fn.ops.convolution import conv
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import zeros
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.rnn import lstm_gates
from keras_fn.settings import standardize_data_format
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)


@mark_builtin
class ConvLSTMCell(Cell):
    """Cell of a convolutional long short-term memory: one time step of `ConvLSTM`.

    The gates are those of `LSTMCell`, where both matrix products are convolutions: that of the
    inputs with `strides`, `padding` and `dilation_rate`, that of the previous output with neither,
    so that the states keep their size.
    """

    gates = 4
    _not_in_config = frozenset({"rank"})

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: ActivationLike | None = "tanh",
        recurrent_activation: ActivationLike | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        recurrent_initializer: InitializerLike | None = "orthogonal",
        bias_initializer: InitializerLike | None = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike | None = None,
        recurrent_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        recurrent_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[CellOptions],
    ):
        super().__init__(
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            **kwargs,
        )
        self.rank = rank
        self.filters = self.output_size = positive_int(self, "filters", filters)
        self.kernel_size = int_tuple(self, "kernel_size", kernel_size, rank)
        self.strides = int_tuple(self, "strides", strides, rank)
        self.padding = one_of(self, "padding", padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = int_tuple(self, "dilation_rate", dilation_rate, rank)
        refuse_strides_with_dilation(self)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.implementation = 1  # each gate has its own dropout masks
        self.state_size = [filters, filters]
        self._channel_axis = -1 if self.data_format == "channels_last" else 1
        self._input_shape: Any = None  # of one step
        self.input_spec = InputSpec(ndim=rank + 2)

    def build(self, input_shape: Shape) -> None:
        """Creates the kernels and the bias."""
        channels = static_dim(input_shape, self._channel_axis, self)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        self._input_shape = tuple(input_shape)
        self._add_weights(self.kernel_size, channels, self.filters)

    def _get_bias_initializer(self) -> Any:
        initializer = self.bias_initializer
        return UnitForgetBias(initializer, self.filters) if self.unit_forget_bias else initializer

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Any]:
        """Returns zeros for both states, of the sizes that the cell was built for."""
        if self._input_shape is None:
            raise SpecError(
                self._label,
                expected="a built layer: the sizes of the states depend on those of the inputs",
                received="a layer that is not built",
                fix="call the layer, or build() it, first",
            )
        shape: Any = (batch_size, *self._input_shape[1:])
        return self.initial_state_for(shape)

    def initial_state_for(self, input_shape: Shape) -> list[Any]:
        """Returns zeros for both states, of the sizes of the output for inputs of a shape."""
        shape = self._state_shape(input_shape)
        return [zeros(shape, self.compute_dtype), zeros(shape, self.compute_dtype)]

    def _state_shape(self, input_shape: Shape) -> Shape:
        sizes: Any = spatial(input_shape, self.data_format)
        window, strides, dilation = self.kernel_size, self.strides, self.dilation_rate
        if all(size is None or isinstance(size, int) for size in sizes):
            sizes = window_sizes(sizes, window, strides, self.padding, dilation, self._label)
        else:  # tensors
            covers = (self.padding == "same",) * self.rank
            sizes = tuple(map(count_windows, sizes, window, strides, dilation, covers))
        return assemble(input_shape[0], sizes, self.filters, self.data_format)

    def _dropout_shapes(self, input_shape: Shape) -> tuple[Shape, Shape]:
        return input_shape, self._state_shape(input_shape)

    def input_projection(self, inputs: Tensor, dropout_mask: Tensor | None = None) -> Any:
        """Returns the contribution of the inputs to the gates."""
        is_last = self._channel_axis == -1
        axis = -1 if is_last else -self.rank - 1  # also of the inputs of all steps
        z = gated_product(self._input_conv, inputs, self.kernel, dropout_mask, axis)
        if self.bias is None:
            return z
        return add(z, self.bias if is_last else reshape(self.bias, (-1, *(1,) * self.rank)))

    def _input_conv(self, inputs: Tensor, kernel: Any) -> Any:
        """Convolves the inputs of one or all steps, in one call."""
        options = self.strides, self.padding, self.data_format, self.dilation_rate
        if len(inputs.shape) == self.rank + 2:
            return conv(inputs, kernel, *options)
        time, batch, *sizes = shape_of(inputs)
        z = conv(reshape(inputs, (-1, *sizes)), kernel, *options)
        return reshape(z, (time, batch, *shape_of(z)[1:]))

    def step(self, projected: Tensor, states: list[Any], dropout_mask: Tensor | None = None) -> Any:
        """Returns the output and the next states."""
        h, c = states
        same_size = partial(conv, padding="same", data_format=self.data_format)
        kernel, axis = self.recurrent_kernel, self._channel_axis
        z = add(projected, gated_product(same_size, h, kernel, dropout_mask, axis))
        h, c = lstm_gates(z, c, self.activation, self.recurrent_activation, axis)
        return h, [h, c]


class ConvLSTM(CellLayer):
    """Convolutional LSTM layer over sequences of inputs with `rank` spatial axes."""

    cell_class = ConvLSTMCell
    rank: int
    _input_rank = property(lambda self: self.rank + 3)

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: ActivationLike | None = "tanh",
        recurrent_activation: ActivationLike | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        recurrent_initializer: InitializerLike | None = "orthogonal",
        bias_initializer: InitializerLike | None = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike | None = None,
        recurrent_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        activity_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        recurrent_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Unpack[ConvRecurrentLayerOptions],
    ):
        cell = self._make_cell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate,
            activation, recurrent_activation, use_bias,
            kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias,
            kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint,
            dropout, recurrent_dropout, seed, **split_cell_arguments(kwargs, "conv_lstm_cell"),
        )  # fmt: skip
        modes = return_sequences, return_state, go_backwards, stateful
        super().__init__(cell, *modes, activity_regularizer=activity_regularizer, **kwargs)

    def _initial_state_for(self, sequences_shape: Any) -> list[Any]:
        batch_size, _, *sizes = sequences_shape
        return self.cell.initial_state_for((batch_size, *sizes))


class ConvLSTM1D(ConvLSTM):
    """1D convolutional LSTM layer, over sequences of lines (such as spectra).

    An LSTM whose matrix products are convolutions: its output and states have spatial axes. The
    inputs of all time steps are convolved in one call, before the loop over time.

    Args:
        filters: Number of channels of the output and of the two states.
        kernel_size: Size of the convolution windows: an integer, or one for each axis.
        strides: Strides of the window over the inputs: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window over the inputs: an integer, or
            one for each axis. Either this or `strides` must be 1.
        activation: Activation function of the candidate and of the state.
        recurrent_activation: Activation function of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
        unit_forget_bias: Whether the bias of the forget gate is initialized to 1.
        kernel_regularizer: Regularizer applied to the kernel.
        recurrent_regularizer: Regularizer applied to the recurrent kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        seed: An integer, for reproducible masks.
        return_sequences: Whether to return the outputs of all time steps, not only of the last.
        return_state: Whether to return the final states too.
        go_backwards: Whether to process the sequence in reverse, which also reverses the outputs.
        stateful: Whether the final states of a batch are the initial states of the next one.
        **kwargs: `unroll` (whether to unroll the loop over time steps), `zero_output_for_mask`
            (whether outputs at masked steps are 0, not the previous outputs), and the arguments
            of every layer.

    Call arguments:
        sequences: A tensor of shape `(batch, time, *sizes, channels)`, or with the channels first.
        initial_state: A list of two tensors of the output's shape `(batch, ...)`: the hidden and
            the cell state.
        mask: Booleans of shape `(batch, time)`; steps at False are skipped.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, time, *sizes, channels)`, or `(batch, time, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        `(batch, *new_sizes, filters)`, or `(batch, time, *new_sizes, filters)` with
        `return_sequences`, in the same data format. With `return_state`, a tuple of the output and
        the final states, `h` and `c`.

    Raises:
        ValueError: An argument is invalid; a stateful layer has inputs of unknown sizes.

    Example:
        >>> keras.layers.ConvLSTM1D(8, 3)(keras.Input((10, 16, 4))).shape
        (None, 14, 8)

    References:
        Shi et al., "Convolutional LSTM Network: A Machine Learning Approach for Precipitation
        Nowcasting", 2015. https://arxiv.org/abs/1506.04214
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """2D convolutional LSTM layer, over sequences of images.

    An LSTM whose matrix products are convolutions: its output and states have spatial axes. The
    inputs of all time steps are convolved in one call, before the loop over time.

    Args:
        filters: Number of channels of the output and of the two states.
        kernel_size: Size of the convolution windows: an integer, or one for each axis.
        strides: Strides of the window over the inputs: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window over the inputs: an integer, or
            one for each axis. Either this or `strides` must be 1.
        activation: Activation function of the candidate and of the state.
        recurrent_activation: Activation function of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
        unit_forget_bias: Whether the bias of the forget gate is initialized to 1.
        kernel_regularizer: Regularizer applied to the kernel.
        recurrent_regularizer: Regularizer applied to the recurrent kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        seed: An integer, for reproducible masks.
        return_sequences: Whether to return the outputs of all time steps, not only of the last.
        return_state: Whether to return the final states too.
        go_backwards: Whether to process the sequence in reverse, which also reverses the outputs.
        stateful: Whether the final states of a batch are the initial states of the next one.
        **kwargs: `unroll` (whether to unroll the loop over time steps), `zero_output_for_mask`
            (whether outputs at masked steps are 0, not the previous outputs), and the arguments
            of every layer.

    Call arguments:
        sequences: A tensor of shape `(batch, time, *sizes, channels)`, or with the channels first.
        initial_state: A list of two tensors of the output's shape `(batch, ...)`: the hidden and
            the cell state.
        mask: Booleans of shape `(batch, time)`; steps at False are skipped.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, time, *sizes, channels)`, or `(batch, time, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        `(batch, *new_sizes, filters)`, or `(batch, time, *new_sizes, filters)` with
        `return_sequences`, in the same data format. With `return_state`, a tuple of the output and
        the final states, `h` and `c`.

    Raises:
        ValueError: An argument is invalid; a stateful layer has inputs of unknown sizes.

    Example:
        >>> keras.layers.ConvLSTM2D(8, 3, padding="same")(keras.Input((10, 16, 16, 1))).shape
        (None, 16, 16, 8)

    References:
        Shi et al., "Convolutional LSTM Network: A Machine Learning Approach for Precipitation
        Nowcasting", 2015. https://arxiv.org/abs/1506.04214
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """3D convolutional LSTM layer, over sequences of volumes.

    An LSTM whose matrix products are convolutions: its output and states have spatial axes. The
    inputs of all time steps are convolved in one call, before the loop over time.

    Args:
        filters: Number of channels of the output and of the two states.
        kernel_size: Size of the convolution windows: an integer, or one for each axis.
        strides: Strides of the window over the inputs: an integer, or one for each axis.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        dilation_rate: Distance between the elements of a window over the inputs: an integer, or
            one for each axis. Either this or `strides` must be 1.
        activation: Activation function of the candidate and of the state.
        recurrent_activation: Activation function of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
        unit_forget_bias: Whether the bias of the forget gate is initialized to 1.
        kernel_regularizer: Regularizer applied to the kernel.
        recurrent_regularizer: Regularizer applied to the recurrent kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        seed: An integer, for reproducible masks.
        return_sequences: Whether to return the outputs of all time steps, not only of the last.
        return_state: Whether to return the final states too.
        go_backwards: Whether to process the sequence in reverse, which also reverses the outputs.
        stateful: Whether the final states of a batch are the initial states of the next one.
        **kwargs: `unroll` (whether to unroll the loop over time steps), `zero_output_for_mask`
            (whether outputs at masked steps are 0, not the previous outputs), and the arguments
            of every layer.

    Call arguments:
        sequences: A tensor of shape `(batch, time, *sizes, channels)`, or with the channels first.
        initial_state: A list of two tensors of the output's shape `(batch, ...)`: the hidden and
            the cell state.
        mask: Booleans of shape `(batch, time)`; steps at False are skipped.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, time, *sizes, channels)`, or `(batch, time, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        `(batch, *new_sizes, filters)`, or `(batch, time, *new_sizes, filters)` with
        `return_sequences`, in the same data format. With `return_state`, a tuple of the output and
        the final states, `h` and `c`.

    Raises:
        ValueError: An argument is invalid; a stateful layer has inputs of unknown sizes.

    Example:
        >>> keras.layers.ConvLSTM3D(8, 3, strides=2)(keras.Input((10, 9, 9, 9, 1))).shape
        (None, 4, 4, 4, 8)

    References:
        Shi et al., "Convolutional LSTM Network: A Machine Learning Approach for Precipitation
        Nowcasting", 2015. https://arxiv.org/abs/1506.04214
    """

    rank = 3
