"""Long short-term memory: the cell and the layer."""

from typing import Any, Unpack

import numpy as np

from keras_fn import activations, ops
from keras_fn.core.registry import mark_builtin
from keras_fn.initializers.initializer import NumpyInitializer
from keras_fn.layers._options import LayerOptions, NamedLayerOptions
from keras_fn.layers.rnn._cell import Cell, gated_matmul
from keras_fn.layers.rnn._cell_layer import CellLayer, split_cell_arguments
from keras_fn.ops.rnn import lstm, lstm_gates
from keras_fn.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike


@mark_builtin
class UnitForgetBias(NumpyInitializer):
    """Another initializer, but 1 for the bias of the forget gate."""

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


class LSTMCell(Cell):
    """One time step of an LSTM, for `RNN`. For whole sequences with one such cell see `LSTM`.

    The gates are input, forget, cell and output, in this order along the last axis of the weights:
    `c = f * c + i * activation(z_c)` and `h = o * activation(c)`, where `i`, `f` and `o` are
    `recurrent_activation` of `z = inputs @ kernel + h @ recurrent_kernel + bias`.

    Args:
        units: Size of the output and of each of the two states.
        activation: Of the candidate and of the state.
        recurrent_activation: Of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
        unit_forget_bias: Whether the bias of the forget gate begins with 1.
        kernel_regularizer: Regularizer applied to the kernel.
        recurrent_regularizer: Regularizer applied to the recurrent kernel.
        bias_regularizer: Regularizer applied to the bias.
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        seed: An integer, for the same masks in every run.

    Input shape:
        A tensor of shape `(batch, features)` and the states, a list of two of shape
        `(batch, units)`.

    Output shape:
        The output of shape `(batch, units)` and the next states.

    Raises:
        ValueError: `units` is not a positive integer, or a rate is not from 0 to 1.

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
        **kwargs: Unpack[LayerOptions],
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

    def _bias_start(self) -> Any:
        start = self.bias_initializer
        return UnitForgetBias(start, self.units) if self.unit_forget_bias else start

    def input_projection(self, inputs: Any, dropout_mask: Any = None) -> Any:
        """Returns what the inputs bring to the gates."""
        z = gated_matmul(inputs, self.kernel, dropout_mask)
        return z if self.bias is None else ops.add(z, self.bias)

    def step(self, projected: Any, states: list[Any], dropout_mask: Any = None) -> Any:
        """Returns the output and the next states."""
        h, c = states
        z = ops.add(projected, gated_matmul(h, self.recurrent_kernel, dropout_mask))
        h, c = lstm_gates(z, c, self.activation, self.recurrent_activation)
        return h, [h, c]

    @property
    def supports_fused_kernel(self) -> bool:
        """Whether the op `lstm` computes the same."""
        return self.activation is ops.tanh and self.recurrent_activation is ops.sigmoid

    def run(self, sequences: Any, states: list[Any], go_backwards: bool) -> Any:
        """Runs a whole sequence in one op. Returns the last output, all, and the last states."""
        weights = self.kernel, self.recurrent_kernel, self.bias
        outputs, h, c = lstm(sequences, *states, *weights, go_backwards=go_backwards)
        return h, outputs, [h, c]


class LSTM(CellLayer):
    """Long short-term memory over sequences.

    A layer with tanh and sigmoid and without recurrent dropout runs as one op of the backend,
    where it has one; otherwise, and for masked sequences, step by step.

    Args:
        units: Size of the output and of each of the two states.
        activation: Of the candidate and of the state.
        recurrent_activation: Of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
        unit_forget_bias: Whether the bias of the forget gate begins with 1.
        kernel_regularizer: Regularizer applied to the kernel.
        recurrent_regularizer: Regularizer applied to the recurrent kernel.
        bias_regularizer: Regularizer applied to the bias.
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        seed: An integer, for the same masks in every run.
        return_sequences: Whether to return the outputs of all time steps, rather than the last.
        return_state: Whether to return the last states too.
        go_backwards: Whether to begin with the last time step. Outputs come in the order of steps.
        stateful: Whether the states of one batch are the first states of the next one.
        unroll: Whether to write out all steps rather than loop.
        use_cudnn: False to go step by step in any case, True to refuse arguments with which the
            layer would have to, `"auto"` for neither.
        **kwargs: `zero_output_for_mask` (whether outputs at masked steps are 0 rather than those
            of the step before), `implementation` (1 for dropout masks for each gate, 2 for all
            alike), and those of every layer.

    Input shape:
        A tensor of shape `(batch, time, features)`; `initial_state`, a list of two tensors
        of shape `(batch, units)`; `mask`, booleans of shape `(batch, time)`.

    Output shape:
        Of shape `(batch, units)`, or `(batch, time, units)` with `return_sequences`; with
        `return_state` a tuple of it and the two states.

    Raises:
        ValueError: An argument that cannot be used.

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
        use_cudnn: Any = "auto",
        **kwargs: Unpack[NamedLayerOptions],
    ):
        cell = LSTMCell(
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
