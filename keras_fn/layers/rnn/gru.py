"""Gated recurrent unit: the cell and the layer."""

from typing import Any, Unpack

from keras_fn import activations, ops
from keras_fn.layers._options import LayerOptions, NamedLayerOptions
from keras_fn.layers.rnn._cell import Cell, gated_matmul
from keras_fn.layers.rnn._cell_layer import CellLayer, split_cell_arguments
from keras_fn.ops.rnn import gru, gru_gates
from keras_fn.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike


class GRUCell(Cell):
    """One time step of a GRU, for `RNN`. For whole sequences with one such cell see `GRU`.

    The gates are update, reset and candidate, in this order along the last axis of the weights:
    `h = z * h + (1 - z) * candidate`. The reset gate is multiplied onto the candidate's share of
    `h @ recurrent_kernel + bias` (`reset_after`), or onto `h` before that product.

    Args:
        units: Size of the output and of the state.
        activation: Of the candidate.
        recurrent_activation: Of the other gates.
        use_bias: Whether biases are added.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        recurrent_regularizer: Regularizer applied to the recurrent kernel.
        bias_regularizer: Regularizer applied to the bias.
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        reset_after: Whether the reset gate acts after the product. There are two biases then.
        seed: An integer, for the same masks in every run.

    Input shape:
        A tensor of shape `(batch, features)` and the state, of shape `(batch, units)` or a
        list of it.

    Output shape:
        The output of shape `(batch, units)` and the next state.

    Raises:
        ValueError: `units` is not a positive integer, or a rate is not from 0 to 1.

    Example:
        >>> cell = keras.layers.GRUCell(4)
        >>> output, states = cell(ones((2, 3)), cell.get_initial_state(2))
        >>> tuple(output.shape), len(states)
        ((2, 4), 1)

    References:
        Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
        Machine Translation", 2014. https://arxiv.org/abs/1406.1078
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: ActivationLike | None = "tanh",
        recurrent_activation: ActivationLike | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        recurrent_initializer: InitializerLike | None = "orthogonal",
        bias_initializer: InitializerLike | None = "zeros",
        kernel_regularizer: RegularizerLike | None = None,
        recurrent_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        recurrent_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
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
        self.reset_after = reset_after

    def _bias_shape(self, size: int) -> tuple[int, ...]:
        return (2, size) if self.reset_after else (size,)

    def input_projection(self, inputs: Any, dropout_mask: Any = None) -> Any:
        """Returns what the inputs bring to the gates."""
        x = gated_matmul(inputs, self.kernel, dropout_mask)
        if self.bias is None:
            return x
        return ops.add(x, ops.getitem(self.bias, 0) if self.reset_after else self.bias)

    def step(self, projected: Any, states: list[Any], dropout_mask: Any = None) -> Any:
        """Returns the output and the next states."""
        (h,) = states
        if not self.reset_after:
            h = self._reset_before(projected, h, dropout_mask)
            return h, [h]
        r = gated_matmul(h, self.recurrent_kernel, dropout_mask)
        if self.bias is not None:
            r = ops.add(r, ops.getitem(self.bias, 1))
        h = gru_gates(projected, r, h, self.activation, self.recurrent_activation)
        return h, [h]

    def _reset_before(self, projected: Any, h: Any, dropout_mask: Any) -> Any:
        n, gate = 2 * self.units, self.recurrent_activation
        kernel, last_kernel = ops.split(self.recurrent_kernel, [n], axis=1)
        masks, last_mask = (
            (None, None) if dropout_mask is None else (dropout_mask[:2], dropout_mask[2:])
        )
        x, x_h = ops.split(projected, [n], axis=-1)
        z, r = ops.split(gate(ops.add(x, gated_matmul(h, kernel, masks))), 2, axis=-1)
        product = gated_matmul(ops.multiply(r, h), last_kernel, last_mask)
        candidate = self.activation(ops.add(x_h, product))
        return ops.add(candidate, ops.multiply(z, ops.subtract(h, candidate)))

    @property
    def supports_fused_kernel(self) -> bool:
        """Whether the op `gru` computes the same."""
        usual = self.activation is ops.tanh and self.recurrent_activation is ops.sigmoid
        return usual and self.reset_after

    def run(self, sequences: Any, states: list[Any], go_backwards: bool) -> Any:
        """Runs a whole sequence in one op. Returns the last output, all, and the last states."""
        weights = self.kernel, self.recurrent_kernel, self.bias
        outputs, h = gru(sequences, *states, *weights, go_backwards=go_backwards)
        return h, outputs, [h]


class GRU(CellLayer):
    """Gated recurrent unit over sequences.

    A layer with tanh and sigmoid, `reset_after` and no recurrent dropout runs as one op of the
    backend, where it has one; otherwise, and for masked sequences, step by step.

    Args:
        units: Size of the output and of the state.
        activation: Of the candidate.
        recurrent_activation: Of the other gates.
        use_bias: Whether biases are added.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        recurrent_regularizer: Regularizer applied to the recurrent kernel.
        bias_regularizer: Regularizer applied to the bias.
        kernel_constraint: Constraint applied to the kernel after each update.
        recurrent_constraint: Constraint applied to the recurrent kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        dropout: Fraction of the inputs to drop in training, the same at all steps.
        recurrent_dropout: Fraction of the previous output to drop in training, the same
            at all steps.
        reset_after: Whether the reset gate acts after the product. There are two biases then.
        seed: An integer, for the same masks in every run.
        return_sequences: Whether to return the outputs of all time steps, rather than the last.
        return_state: Whether to return the last state too.
        go_backwards: Whether to begin with the last time step. Outputs come in the order of steps.
        stateful: Whether the states of one batch are the first states of the next one.
        unroll: Whether to write out all steps rather than loop.
        use_cudnn: False to go step by step in any case, True to refuse arguments with which the
            layer would have to, `"auto"` for neither.
        **kwargs: `zero_output_for_mask` (whether outputs at masked steps are 0 rather than those
            of the step before), `implementation` (1 for dropout masks for each gate, 2 for all
            alike), and those of every layer.

    Input shape:
        A tensor of shape `(batch, time, features)`; `initial_state`, a tensor of shape
        `(batch, units)` or a list of it; `mask`, booleans of shape `(batch, time)`.

    Output shape:
        Of shape `(batch, units)`, or `(batch, time, units)` with `return_sequences`; with
        `return_state` a tuple of it and the state.

    Raises:
        ValueError: An argument that cannot be used.

    Example:
        >>> layer = keras.layers.GRU(4, return_sequences=True, return_state=True)
        >>> outputs, h = layer(ones((2, 5, 3)))
        >>> tuple(outputs.shape), tuple(h.shape)
        ((2, 5, 4), (2, 4))

    References:
        Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
        Machine Translation", 2014. https://arxiv.org/abs/1406.1078
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: ActivationLike | None = "tanh",
        recurrent_activation: ActivationLike | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        recurrent_initializer: InitializerLike | None = "orthogonal",
        bias_initializer: InitializerLike | None = "zeros",
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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Unpack[NamedLayerOptions],
    ):
        cell = GRUCell(
            units,
            activation,
            recurrent_activation,
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
            reset_after,
            seed,
            **split_cell_arguments(kwargs, "gru_cell"),
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
