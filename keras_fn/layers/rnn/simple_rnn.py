"""Fully connected recurrent network: the cell and the layer."""

from typing import Any, Unpack

from keras_fn import ops
from keras_fn.layers._options import CellOptions, RecurrentLayerOptions
from keras_fn.layers.rnn._cell import DenseCell, gated_matmul
from keras_fn.layers.rnn._cell_layer import CellLayer, split_cell_arguments
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Tensor,
)


class SimpleRNNCell(DenseCell):
    """Cell of a fully connected recurrent network: one time step, for `RNN`.

    `h = activation(inputs @ kernel + h @ recurrent_kernel + bias)`. The layer is `SimpleRNN`.

    Args:
        units: Number of units: the size of the output, which is also the state.
        activation: Activation function applied to the result: a name or a function.
        use_bias: Whether to add a bias.
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
        >>> cell = keras.layers.SimpleRNNCell(4)
        >>> output, states = cell(ones((2, 3)), cell.get_initial_state(2))
        >>> tuple(output.shape), len(states)
        ((2, 4), 1)

    References:
        Elman, "Finding Structure in Time", 1990.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: ActivationLike | None = "tanh",
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

    def input_projection(self, inputs: Tensor, dropout_mask: Tensor | None = None) -> Any:
        """Returns the contribution of the inputs to the sum."""
        x = gated_matmul(inputs, self.kernel, dropout_mask)
        return x if self.bias is None else ops.add(x, self.bias)

    def step(self, projected: Tensor, states: list[Any], dropout_mask: Tensor | None = None) -> Any:
        """Returns the output and the next states."""
        product = gated_matmul(states[0], self.recurrent_kernel, dropout_mask)
        h = self.activation(ops.add(projected, product))
        return h, [h]


class SimpleRNN(CellLayer):
    """Fully connected recurrent layer over sequences: the output is the state.

    Args:
        units: Number of units: the size of the output, which is also the state.
        activation: Activation function applied to the result: a name or a function.
        use_bias: Whether to add a bias.
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
        return_sequences: Whether to return the outputs of all time steps, not only of the last.
        return_state: Whether to return the final state too.
        go_backwards: Whether to process the sequence in reverse, which also reverses the outputs.
        stateful: Whether the state of one batch is the first state of the next one.
        unroll: Whether to unroll the loop over time steps.
        seed: An integer, for reproducible masks.
        **kwargs: `zero_output_for_mask` (whether outputs at masked steps are 0, not the previous
            outputs), and the arguments of every layer.

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
        >>> keras.layers.SimpleRNN(4, return_sequences=True)(keras.Input((None, 3))).shape
        (None, None, 4)

    References:
        Elman, "Finding Structure in Time", 1990.
    """

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: ActivationLike | None = "tanh",
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
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[RecurrentLayerOptions],
    ):
        cell = self._make_cell(
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
            **split_cell_arguments(kwargs, "simple_rnn_cell"),
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

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        config = super().get_config()
        if self.seed is None:  # Keras's files do not know it here
            del config["seed"]
        return config
