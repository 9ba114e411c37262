"""Gated recurrent unit (GRU): the cell and the layer."""

from typing import Any, Unpack

from keras_fn import activations, ops
from keras_fn.layers._options import CellOptions, RecurrentLayerOptions
from keras_fn.layers.rnn._cell import DenseCell, gated_matmul
from keras_fn.layers.rnn._cell_layer import CellLayer, split_cell_arguments
from keras_fn.ops.rnn import gru, gru_gates
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Tensor,
)


class GRUCell(DenseCell):
    """Cell of a gated recurrent unit: one time step, for `RNN`. The layer is `GRU`.

    The gates are update, reset and candidate, in this order along the last axis of the weights:
    `h = z * h + (1 - z) * candidate`. The reset gate multiplies the candidate's part of
    `h @ recurrent_kernel + bias` (`reset_after`), or `h` before that product.

    Args:
        units: Number of units: the size of the output and of the state.
        activation: Activation function of the candidate.
        recurrent_activation: Activation function of the other gates.
        use_bias: Whether to add biases.
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
        reset_after: Whether the reset gate is applied after the matrix product, with two biases.
        seed: An integer, for reproducible masks.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.
        states: The hidden state, a tensor of shape `(batch, units)` or a list of it.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, features)`.

    Output shape:
        A tuple of the output, of shape `(batch, units)`, and the next states.

    Raises:
        ValueError: `units` is not a positive integer, or a dropout rate is not from 0 to 1.

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
        self.reset_after = reset_after

    def _bias_shape(self, size: int) -> tuple[int, ...]:
        return (2, size) if self.reset_after else (size,)

    def input_projection(self, inputs: Tensor, dropout_mask: Tensor | None = None) -> Any:
        """Returns the contribution of the inputs to the gates."""
        x = gated_matmul(inputs, self.kernel, dropout_mask)
        if self.bias is None:
            return x
        return ops.add(x, ops.getitem(self.bias, 0) if self.reset_after else self.bias)

    def step(self, projected: Tensor, states: list[Any], dropout_mask: Tensor | None = None) -> Any:
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
        """Whether the op `gru` computes the same result."""
        usual = self.activation is ops.tanh and self.recurrent_activation is ops.sigmoid
        return usual and self.reset_after

    def run_fused(
        self, sequences: Tensor, states: list[Any], go_backwards: bool, mask: Tensor | None = None
    ) -> Any:
        """Runs a sequence as one op. Returns all outputs and the last states."""
        (h,) = states
        weights = self.kernel, self.recurrent_kernel, self.bias
        # By position: operands by name are put in order by the slow path of ops.
        outputs, h = gru(sequences, h, *weights, go_backwards, mask)
        return outputs, [h]


class GRU(CellLayer):
    """Gated recurrent unit (GRU) layer over sequences.

    With the default activations, `reset_after` and without recurrent dropout, a sequence without
    mask runs as one fused op, where the backend has one; otherwise the layer loops over time steps.

    Args:
        units: Number of units: the size of the output and of the state.
        activation: Activation function of the candidate.
        recurrent_activation: Activation function of the other gates.
        use_bias: Whether to add biases.
        kernel_initializer: Initializer for the kernel weights.
        recurrent_initializer: Initializer for the recurrent kernel weights.
        bias_initializer: Initializer for the bias.
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
        reset_after: Whether the reset gate is applied after the matrix product, with two biases.
        seed: An integer, for reproducible masks.
        return_sequences: Whether to return the outputs of all time steps, not only of the last.
        return_state: Whether to return the final state too.
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
        initial_state: The hidden state, a tensor of shape `(batch, units)` or a list of it.
        mask: Booleans of shape `(batch, time)`; steps at False are skipped.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, time, features)`.

    Output shape:
        `(batch, units)`, or `(batch, time, units)` with `return_sequences`. With `return_state`,
        a tuple of the output and the final state.

    Raises:
        ValueError: An argument is invalid.

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
