"""Recurrent networks whose cells are the classic ones: a whole sequence in one op."""

from __future__ import annotations

from keras_fn.ops._op import op
from keras_fn.ops._types import Tensor
from keras_fn.ops.control import scan
from keras_fn.ops.nn import dense, gru_step, lstm_step
from keras_fn.ops.shapes import flip, swapaxes


@op
def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor = None,
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
    return _in_order_of_steps(outputs, go_backwards), h, c


@op
def gru(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor = None,
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
    return _in_order_of_steps(outputs, go_backwards), h


def _in_order_of_steps(outputs: Tensor, go_backwards: bool) -> Tensor:
    """Batch first; `scan` lays outputs at the place of their input, a layer as they came."""
    outputs = swapaxes(outputs, 0, 1)
    return flip(outputs, 1) if go_backwards else outputs
