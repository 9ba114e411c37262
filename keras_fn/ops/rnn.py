"""Recurrent ops: LSTM, GRU, and `rnn`, which runs any step function over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import tree
from keras_fn.ops._op import op
from keras_fn.ops.arithmetic import add, multiply, subtract
from keras_fn.ops.control_flow import _nest_like, _where_mask, scan
from keras_fn.ops.core import cast
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.dense import dense
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import split
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.logic import greater, where
from keras_fn.ops.manipulation import expand_dims, swapaxes
from keras_fn.ops.math import sigmoid
from keras_fn.ops.rearranging import flip
from keras_fn.ops.reductions import cumsum
from keras_fn.ops.trigonometric import tanh
from keras_fn.types import Nested, Tensor

Function = Callable[..., Tensor]


def lstm_gates(
    z: Tensor,
    c: Tensor,
    activation: Function = tanh,
    recurrent_activation: Function = sigmoid,
    axis: int = -1,
) -> tuple[Tensor, Tensor]:
    """Computes the next output and cell state of an LSTM.

    Args:
        z: Pre-activations of the input, forget, cell and output gates: `(batch, 4 * units)`.
        c: Cell state of shape `(batch, units)`.
        activation: Activation of the cell.
        recurrent_activation: Activation of the gates.
        axis: The axis of the gates.

    Returns:
        The output and the cell state, both of shape `(batch, units)`.
    """
    gate = recurrent_activation
    i, f, g, o = split(z, 4, axis=axis)
    c = add(multiply(gate(f), c), multiply(gate(i), activation(g)))
    return multiply(gate(o), activation(c)), c


def gru_gates(
    x: Tensor,
    r: Tensor,
    h: Tensor,
    activation: Function = tanh,
    recurrent_activation: Function = sigmoid,
) -> Tensor:
    """Computes the next output of a GRU that applies its reset gate after the matrix product.

    Args:
        x: Contribution of the inputs to the gates, of shape `(batch, 3 * units)`, in the order
            update, reset, candidate.
        r: Contribution of the previous output to the gates, of the same shape and order.
        h: Previous output of shape `(batch, units)`.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.

    Returns:
        The output, of shape `(batch, units)`.
    """
    gate = recurrent_activation
    x_z, x_r, x_h = split(x, 3, axis=-1)
    r_z, r_r, r_h = split(r, 3, axis=-1)
    candidate = activation(add(x_h, multiply(gate(add(x_r, r_r)), r_h)))
    return add(candidate, multiply(gate(add(x_z, r_z)), subtract(h, candidate)))


@op
def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    go_backwards: bool = False,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory (LSTM) over a sequence, with sigmoid gates and tanh activation.

    Args:
        x: Inputs of shape `(batch, time, features)`.
        h: Initial output, of shape `(batch, units)`.
        c: Initial cell state, of shape `(batch, units)`.
        kernel: Tensor of shape `(features, 4 * units)`, in the order input, forget, cell, output.
        recurrent_kernel: Tensor of shape `(units, 4 * units)`, in the same order.
        bias: Tensor of shape `(4 * units,)`, or None.
        go_backwards: Whether to start with the last time step.
        mask: Booleans of shape `(batch, time)`: where False, states and output are repeated; the
            output before the first step is 0.

    Returns:
        All outputs, of shape `(batch, time, units)`, in the order in which they were computed; the
        last hidden state and the last cell state, of shape `(batch, units)`.

    Example:
        >>> from keras_fn.ops.rnn import lstm
        >>> state, kernel, recurrent_kernel = zeros((2, 4)), ones((3, 16)), ones((4, 16))
        >>> outputs, h, c = lstm(ones((2, 5, 3)), state, state, kernel, recurrent_kernel)
        >>> outputs.shape == (2, 5, 4), h.shape == (2, 4)
        (True, True)

    References:
        Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
    """
    # One product for the inputs of all time steps, before the loop.
    steps = swapaxes(dense(x, kernel, bias), 0, 1)

    def body(state: Any, step: Tensor) -> Any:
        h, c = state
        h, c = lstm_gates(add(step, matmul(h, recurrent_kernel)), c)
        return (h, c), h

    (h, c), outputs = _scan_with_mask(body, (h, c), steps, mask, go_backwards)
    return outputs, h, c


@op
def gru(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    go_backwards: bool = False,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Gated recurrent unit (GRU) over a sequence, with the reset gate after the matrix product.

    Args:
        x: Inputs of shape `(batch, time, features)`.
        h: Initial output, of shape `(batch, units)`.
        kernel: Tensor of shape `(features, 3 * units)`, in the order update, reset, candidate.
        recurrent_kernel: Tensor of shape `(units, 3 * units)`, in the same order.
        bias: Tensor of shape `(2, 3 * units)`: biases of the inputs, biases of the recurrence; or
            None.
        go_backwards: Whether to start with the last time step.
        mask: Booleans of shape `(batch, time)`: where False, states and output are repeated; the
            output before the first step is 0.

    Returns:
        All outputs, of shape `(batch, time, units)`, in the order in which they were computed; the
        last hidden state, of shape `(batch, units)`.

    Example:
        >>> from keras_fn.ops.rnn import gru
        >>> outputs, h = gru(ones((2, 5, 3)), zeros((2, 4)), ones((3, 12)), ones((4, 12)))
        >>> outputs.shape == (2, 5, 4), h.shape == (2, 4)
        (True, True)

    References:
        Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
        Machine Translation", 2014. https://arxiv.org/abs/1406.1078
    """
    steps = swapaxes(dense(x, kernel, None if bias is None else bias[0]), 0, 1)
    recurrent_bias = None if bias is None else bias[1]

    def body(h: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        h = gru_gates(step, dense(h, recurrent_kernel, recurrent_bias), h)
        return h, h

    h, outputs = _scan_with_mask(body, h, steps, mask, go_backwards)
    return outputs, h


def _scan_with_mask(
    body: Callable[[Any, Any], tuple[Any, Any]],
    states: Any,
    steps: Tensor,
    mask: Tensor | None,
    go_backwards: bool,
) -> tuple[Any, Tensor]:
    """Scans over time. Returns the last states, and the outputs in the order of computation."""
    if mask is None:
        states, outputs = scan(body, states, steps, reverse=go_backwards)
    else:

        def masked_body(old: Any, pair: Any) -> Any:
            step, is_active = pair
            new = tree.map_structure(
                lambda new, old: _where_mask(is_active, new, old), body(old, step)[0], old
            )
            return new, tree.flatten(new)[0]

        states, outputs = scan(
            masked_body, states, (steps, swapaxes(mask, 0, 1)), reverse=go_backwards
        )
    outputs = swapaxes(outputs, 0, 1)
    if go_backwards:
        outputs = flip(outputs, 1)
    if mask is not None:
        number = cumsum(cast(flip(mask, 1) if go_backwards else mask, "int32"), 1)
        outputs = where(expand_dims(greater(number, 0), 2), outputs, 0)
    return states, outputs


def rnn(
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Nested,
    initial_states: Nested,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Runs a recurrent step function over time.

    Args:
        step: Takes the inputs of one time step and the states, returns the output and the states.
        inputs: Nested tensors of shape `(time, batch, ...)`.
        initial_states: Nested tensors of shape `(batch, ...)`.
        mask: Booleans of shape `(time, batch)`: where False, states and output are repeated; the
            output before the first step is 0.
        go_backwards: Whether to start with the last time step.
        zero_output_for_mask: Whether the output of a masked step is 0 instead of the previous one.
        unroll: Whether to unroll the loop, where the number of time steps is known.

    Returns:
        The last output; all outputs, of shape `(time, batch, ...)`, in the order in which they were
        computed; the last states.
    """
    size = tree.flatten(inputs)[0].shape[0]
    unroll_steps = size if unroll and size else 1
    if mask is None:

        def body(carry: Any, x: Any) -> Any:
            output, states = step(x, carry)
            return _nest_like(carry, states), output

        states, outputs = scan(body, initial_states, inputs, None, go_backwards, unroll_steps)
        last = getitem(outputs, 0 if go_backwards else -1)
    else:
        blank = zeros_like(
            step(tree.map_structure(lambda x: getitem(x, 0), inputs), initial_states)[0]
        )

        def masked_body(carry: Any, pair: Any) -> Any:
            (x, is_active), (old_states, previous) = pair, carry
            output, states = step(x, old_states)
            repeated = blank if zero_output_for_mask else previous
            output = _where_mask(is_active, output, repeated)
            states = tree.map_structure(
                lambda new, old: _where_mask(is_active, new, old),
                _nest_like(old_states, states),
                old_states,
            )
            return (states, output), output

        (states, last), outputs = scan(
            masked_body, (initial_states, blank), (inputs, mask), None, go_backwards, unroll_steps
        )
    return last, flip(outputs, 0) if go_backwards else outputs, states
