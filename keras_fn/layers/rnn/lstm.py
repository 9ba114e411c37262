"""Long short-term memory (LSTM): the cell and the layer."""

from typing import Any, Unpack

import numpy as np

from keras_fn import activations, ops
from keras_fn.core.registry import mark_builtin
from keras_fn.initializers.initializer import NumpyInitializer
from keras_fn.layers._options import CellOptions, RecurrentLayerOptions
from keras_fn.layers.rnn._cell import DenseCell, gated_matmul
from keras_fn.layers.rnn._cell_layer import CellLayer, split_cell_arguments
from keras_fn.ops.rnn import lstm, lstm_gates
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Tensor,
)


@mark_builtin
class UnitForgetBias(NumpyInitializer):
    """The initializer of the LSTM bias, but 1 for the forget gate."""

    def __init__(self, inner: Any, units: int):
        self.inner, self.units = inner, units

    def new_key(self) -> Any:
        return self.inner.new_key() if getattr(self.inner, "draw", None) else None

    def _values(self, shape: tuple[int, ...], dtype: str, key: Any) -> np.ndarray:
        if getattr(self.inner, "draw", None):
            values = np.array(self.inner.draw(shape, dtype, key))
        else:
            values = np.array(ops.convert_to_numpy(self.inner(shape, dtype=dtype)))
        values[self.units : 2 * self.units] = 1
        return values


class LSTMCell(DenseCell):
    """Cell of a long short-term memory: one time step, for `RNN`. The layer is `LSTM`.

    The gates are input, forget, cell and output, in this order along the last axis of the weights:
    `c = f * c + i * activation(z_c)` and `h = o * activation(c)`, where `i`, `f` and `o` are
    `recurrent_activation` of `z = inputs @ kernel + h @ recurrent_kernel + bias`.

    Args:
        units: Number of units: the size of the output and of the two states.
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
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        seed: An integer, for reproducible masks.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.
        states: A list of two tensors of shape `(batch, units)`: the hidden and the cell state.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, features)`.

    Output shape:
        A tuple of the output, of shape `(batch, units)`, and the next states.

    Raises:
        ValueError: `units` is not a positive integer, or a dropout rate is not from 0 to 1.

    Example:
        >>> cell = keras.layers.LSTMCell(4)
        >>> output, states = cell(ones((2, 3)), cell.get_initial_state(2))
        >>> tuple(output.shape), len(states)
        ((2, 4), 2)

    References:
        Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
        Jozefowicz et al., "An Empirical Exploration of Recurrent Network Architectures", 2015.
    """

    gates = 4

    def __init__(
        self,
        units: int,
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
            units,
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
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def _get_bias_initializer(self) -> Any:
        initializer = self.bias_initializer
        return UnitForgetBias(initializer, self.units) if self.unit_forget_bias else initializer

    def input_projection(self, inputs: Tensor, dropout_mask: Tensor | None = None) -> Any:
        """Returns the contribution of the inputs to the gates."""
        z = gated_matmul(inputs, self.kernel, dropout_mask)
        return z if self.bias is None else ops.add(z, self.bias)

    def step(self, projected: Tensor, states: list[Any], dropout_mask: Tensor | None = None) -> Any:
        """Returns the output and the next states."""
        h, c = states
        z = ops.add(projected, gated_matmul(h, self.recurrent_kernel, dropout_mask))
        h, c = lstm_gates(z, c, self.activation, self.recurrent_activation)
        return h, [h, c]

    @property
    def supports_fused_kernel(self) -> bool:
        """Whether the op `lstm` computes the same result."""
        return self.activation is ops.tanh and self.recurrent_activation is ops.sigmoid

    def run_fused(
        self, sequences: Tensor, states: list[Any], go_backwards: bool, mask: Tensor | None = None
    ) -> Any:
        """Runs a sequence as one op. Returns all outputs and the last states."""
        h, c = states
        weights = self.kernel, self.recurrent_kernel, self.bias
        # By position: operands by name are put in order by the slow path of ops.
        outputs, h, c = lstm(sequences, h, c, *weights, go_backwards, mask)
        return outputs, [h, c]


class LSTM(CellLayer):
    """Long short-term memory (LSTM) layer over sequences.

    With the default activations and without recurrent dropout, a sequence without mask runs as one
    fused op, where the backend has one; otherwise the layer loops over time steps.

    Args:
        units: Number of units: the size of the output and of the two states.
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
        unroll: Whether to unroll the loop over time steps.
        use_cudnn: `"auto"` to use a fused kernel where possible, True to require one, False to
            loop over time steps.
        **kwargs: `zero_output_for_mask` (whether outputs at masked steps are 0, not the previous
            outputs), `implementation` (1 for separate dropout masks of the gates, 2 for shared
            ones), and the arguments of every layer.

    Call arguments:
        sequences: A tensor of shape `(batch, time, features)`.
        initial_state: A list of two tensors of shape `(batch, units)`: the hidden and the cell
            state.
        mask: Booleans of shape `(batch, time)`; steps at False are skipped.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, time, features)`.

    Output shape:
        `(batch, units)`, or `(batch, time, units)` with `return_sequences`. With `return_state`,
        a tuple of the output and the final states, `h` and `c`.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> layer = keras.layers.LSTM(4, return_sequences=True, return_state=True)
        >>> outputs, h, c = layer(ones((2, 5, 3)))
        >>> tuple(outputs.shape), tuple(h.shape)
        ((2, 5, 4), (2, 4))

    References:
        Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        **kwargs: Unpack[RecurrentLayerOptions],
    ):
        cell = self._make_cell(
            units,
            activation,
            recurrent_activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            unit_forget_bias,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            **split_cell_arguments(kwargs, "lstm_cell"),
        )
        super().__init__(
            cell,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self._set_use_cudnn(use_cudnn)
