"""Recurrent ops: LSTM and GRU over a sequence, and the rnn of any step function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import tree
from keras_fn.ops._op import op
from keras_fn.ops.arithmetic import add, multiply, subtract
from keras_fn.ops.control_flow import _nest_like, _where_mask, scan
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.dense import dense
from keras_fn.ops.indexing import getitem
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import flip, split, swapaxes
from keras_fn.ops.math import sigmoid
from keras_fn.ops.trigonometric import tanh
from keras_fn.types import Tensor, TensorLike

Function = Callable[..., Tensor]


def lstm_gates(
    z: TensorLike, c: TensorLike, activation: Function = tanh, gate: Function = sigmoid
) -> tuple[Tensor, Tensor]:
    """The next output and state of an LSTM: `z` is what its gates get from input and output."""
    i, f, g, o = split(z, 4, axis=-1)
    c = add(multiply(gate(f), c), multiply(gate(i), activation(g)))
    return multiply(gate(o), activation(c)), c


def gru_gates(
    x: TensorLike,
    r: TensorLike,
    h: TensorLike,
    activation: Function = tanh,
    gate: Function = sigmoid,
) -> Tensor:
    """The next output of a GRU that resets after the product: `x` and `r` are what its gates get
    from the input and from the output `h`.
    """
    x_z, x_r, x_h = split(x, 3, axis=-1)
    r_z, r_r, r_h = split(r, 3, axis=-1)
    candidate = activation(add(x_h, multiply(gate(add(x_r, r_r)), r_h)))
    return add(candidate, multiply(gate(add(x_z, r_z)), subtract(h, candidate)))


@op
def lstm(
    x: TensorLike,
    h: TensorLike,
    c: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike = None,
    go_backwards: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory over a sequence, with sigmoid gates and tanh.

    Args:
        x: Inputs of shape `(batch, time, features)`.
        h: First output, of shape `(batch, units)`.
        c: First state of the cell, of shape `(batch, units)`.
        kernel: Of shape `(features, 4 * units)`, in the order input, forget, cell, output.
        recurrent_kernel: Of shape `(units, 4 * units)`, likewise.
        bias: Of shape `(4 * units,)`, or None.
        go_backwards: Whether to begin with the last time step.

    Returns:
        All outputs, of shape `(batch, time, units)` in the order of the steps; the last output;
        the last state.

    References:
        Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
    """
    # All inputs meet the kernel in one product, before the loop.
    steps = swapaxes(dense(x, kernel, bias), 0, 1)

    def body(state, step):
        h, c = state
        h, c = lstm_gates(add(step, matmul(h, recurrent_kernel)), c)
        return (h, c), h

    (h, c), outputs = scan(body, (h, c), steps, reverse=go_backwards)
    return _to_batch_major(outputs, go_backwards), h, c


@op
def gru(
    x: TensorLike,
    h: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike = None,
    go_backwards: bool = False,
) -> tuple[Tensor, Tensor]:
    """Gated recurrent unit over a sequence, reset after the product.

    Args:
        x: Inputs of shape `(batch, time, features)`.
        h: First output, of shape `(batch, units)`.
        kernel: Of shape `(features, 3 * units)`, in the order update, reset, candidate.
        recurrent_kernel: Of shape `(units, 3 * units)`, likewise.
        bias: Of shape `(2, 3 * units)`: of the kernel, of the recurrent kernel; or None.
        go_backwards: Whether to begin with the last time step.

    Returns:
        All outputs, of shape `(batch, time, units)` in the order of the steps; the last output.

    References:
        Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
    """
    steps = swapaxes(dense(x, kernel, None if bias is None else bias[0]), 0, 1)
    recurrent_bias = None if bias is None else bias[1]

    def body(h, step):
        h = gru_gates(step, dense(h, recurrent_kernel, recurrent_bias), h)
        return h, h

    h, outputs = scan(body, h, steps, reverse=go_backwards)
    return _to_batch_major(outputs, go_backwards), h


def _to_batch_major(outputs: Tensor, go_backwards: bool) -> Tensor:
    """Batch first; `scan` lays outputs at the place of their input, a layer as they came."""
    outputs = swapaxes(outputs, 0, 1)
    return flip(outputs, 1) if go_backwards else outputs


def rnn(
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: TensorLike,
    states: Any,
    mask: TensorLike | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Runs a recurrent step over time.

    Args:
        step: Takes the inputs of one time step and the states, returns the output and the states.
        inputs: Nested tensors whose first axis is time.
        states: The first states: nested tensors of shape `(batch, ...)`.
        mask: Booleans of shape `(time, batch)`: where False, state and output stay as they were,
            the output at first 0.
        go_backwards: Whether to begin with the last time step.
        zero_output_for_mask: Whether a masked output is 0 rather than the one before.
        unroll: Whether to write out all steps, where time is of known size.

    Returns:
        The last output, all outputs (time first, in the order of the steps), the last states.
    """
    size = tree.flatten(inputs)[0].shape[0]
    unroll_by = size if unroll and size else 1
    if mask is None:

        def body(carry: Any, x: Any) -> Any:
            output, new = step(x, carry)
            return _nest_like(carry, new), output

        states, outputs = scan(body, states, inputs, None, go_backwards, unroll_by)
        last = getitem(outputs, 0 if go_backwards else -1)
    else:
        blank = zeros_like(step(tree.map_structure(lambda x: getitem(x, 0), inputs), states)[0])

        def masked_body(carry: Any, pair: Any) -> Any:
            (x, keep), (old, previous) = pair, carry
            output, new = step(x, old)
            shown = _where_mask(keep, output, blank if zero_output_for_mask else previous)
            kept = tree.map_structure(
                lambda n, o: _where_mask(keep, n, o), _nest_like(old, new), old
            )
            return (kept, shown), shown

        (states, last), outputs = scan(
            masked_body, (states, blank), (inputs, mask), None, go_backwards, unroll_by
        )
    return last, flip(outputs, 0) if go_backwards else outputs, states
