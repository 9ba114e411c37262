"""Fused LSTM and GRU."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils.rnn import pack_padded_sequence

from keras_fn_torch.scan_operator import scan_operator
from keras_fn_torch.tensors import Tensor

_SATURATION = 1e4  # sigmoid(1e4) is 1 and sigmoid(-1e4) is 0, also in float16


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
    """`torch.lstm`, which has Keras's order of gates."""
    if torch.compiler.is_exporting():
        return _lstm_operator(x, h, c, kernel, recurrent_kernel, bias, go_backwards, mask)
    weights = [_transposed(kernel), _transposed(recurrent_kernel)]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    if torch.compiler.is_compiling() and torch.is_grad_enabled():
        # The kernel that the compiler chooses for inputs without a gradient fails in training.
        x = x + 0 * recurrent_kernel[0, 0]
    if go_backwards:
        x, mask = x.flip(1), None if mask is None else mask.flip(1)
    active = None if mask is None else _ActiveSteps(mask)
    if active is not None:  # steps after the last active one keep the cell state
        x = torch.cat((active.compact(x), active.is_rest.to(x.dtype)), -1)
        weights[0] = torch.cat((weights[0], _closed_gates(kernel).unsqueeze(1)), 1)
    states = (h.unsqueeze(0), c.unsqueeze(0))
    outputs, last, c = torch.lstm(x, states, *_run_options(weights, bias))
    if active is None:
        return outputs, last[0], c[0]
    return (*active.restore(outputs, h), c[0])


def _closed_gates(kernel: Tensor) -> Tensor:
    """Returns weights of an input of 1 that close the input gate and open the forget gate."""
    units = kernel.shape[1] // 4
    weights = kernel.new_zeros(4 * units)
    weights[:units], weights[units : 2 * units] = -_SATURATION, _SATURATION
    return weights


class _ActiveSteps:
    """The steps of sequences that count, moved to the front: the rest has no influence on them.

    A fused kernel takes no mask. It runs over the compact sequences, of unchanged length, so that
    no size depends on values.
    """

    def __init__(self, mask: Tensor):
        self.last = mask.cumsum(1) - 1  # at each step, the compact index of the last active step
        self.order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)
        self.is_rest = ~mask.gather(1, self.order).unsqueeze(-1)

    def compact(self, x: Tensor) -> Tensor:
        """Returns the inputs with the active steps first, and zeros after them."""
        index = self.order.unsqueeze(-1).expand(x.shape)
        return x.gather(1, index).masked_fill(self.is_rest, 0)

    def restore(self, outputs: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the outputs at all steps, 0 before the first active one, and the last state."""
        index = self.last.clamp(min=0).unsqueeze(-1).expand(-1, -1, outputs.shape[2])
        return self._without_start(outputs.gather(1, index), h)

    def restore_packed(
        self, outputs: Tensor, starts: Tensor, ranks: Tensor, h: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns the same, of packed outputs: those of a step begin at its number in `starts`."""
        return self._without_start(outputs[starts[self.last.clamp(min=0)] + ranks[:, None]], h)

    def _without_start(self, outputs: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        is_started = (self.last >= 0).unsqueeze(-1)
        h = torch.where(is_started[:, -1], outputs[:, -1], h)
        return outputs.masked_fill(~is_started, 0), h


def _transposed(kernel: Tensor) -> Tensor:
    """Returns a kernel in PyTorch's axis order.

    The memory of a weight is converted once to that order, behind its shape: otherwise each step
    would copy the weight and its gradient.
    """
    is_weight = type(kernel) is torch.nn.Parameter and not torch.compiler.is_compiling()
    if is_weight and not kernel.t().is_contiguous():
        with torch.inference_mode(False), torch.no_grad():
            kernel.data = kernel.t().contiguous().t()
    return kernel.t()


def gru(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    go_backwards: bool = False,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`torch.gru`, which has the reset gate before the update gate."""
    if torch.compiler.is_exporting():
        return _gru_operator(x, h, kernel, recurrent_kernel, bias, go_backwards, mask)
    if go_backwards:
        x, mask = x.flip(1), None if mask is None else mask.flip(1)
    active = None if mask is None else _ActiveSteps(mask)
    if active is not None:
        x = active.compact(x)
        if x.device.type == "cpu" and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return _gru_steps(x, h, kernel, recurrent_kernel, bias, active)
    weights = [_reorder_gru_gates(kernel.t()), _reorder_gru_gates(recurrent_kernel.t())]
    if bias is not None:
        weights += [_reorder_gru_gates(part) for part in bias]
    outputs, last = torch.gru(x, h.unsqueeze(0), *_run_options(weights, bias))
    return (outputs, last[0]) if active is None else active.restore(outputs, h)


def _gru_steps(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    active: _ActiveSteps,
) -> tuple[Tensor, Tensor]:
    """Returns the outputs and the last state of a GRU over compact sequences, step by step.

    On a CPU `torch.gru` takes steps, too, in training. Sequences that have ended take part in none.
    """
    units, initial = h.shape[1], h
    lengths = (active.last[:, -1] + 1).clamp(min=1)
    x, sizes, rows, ranks = pack_padded_sequence(x, lengths, True, enforce_sorted=False)
    z = x @ kernel if bias is None else torch.addmm(bias[0], x, kernel)
    gates, candidates = (part.split(sizes.tolist()) for part in z.split([2 * units, units], 1))
    h = h[rows]
    outputs = []
    for gate, candidate in zip(gates, candidates, strict=True):
        h = h[: len(gate)]
        r = h @ recurrent_kernel if bias is None else torch.addmm(bias[1], h, recurrent_kernel)
        r_gate, r_candidate = r.split([2 * units, units], 1)
        update, reset = (gate + r_gate).sigmoid().chunk(2, 1)
        h = torch.lerp(torch.addcmul(candidate, reset, r_candidate).tanh(), h, update)
        outputs.append(h)
    starts = sizes.cumsum(0) - sizes
    return active.restore_packed(torch.cat(outputs), starts, ranks, initial)


def _reorder_gru_gates(x: Tensor) -> Tensor:
    update, reset, candidate = x.chunk(3)
    return torch.cat((reset, update, candidate))


def _run_options(weights: list[Tensor], bias: Tensor | None) -> tuple[Any, ...]:
    """Returns one layer, no dropout, unidirectional, batch first; training mode if recording."""
    return weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True


def _lstm_operator(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    go_backwards: bool,
    mask: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns what `lstm` does, as a scan: an exported `torch.lstm` has a fixed number of steps."""

    def step(states: list[Tensor], gates: Tensor) -> list[Tensor]:
        h, c = states
        i, f, candidate, o = (gates + h @ recurrent_kernel).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * candidate.tanh()
        return [o.sigmoid() * c.tanh(), c]

    gates = x @ kernel if bias is None else x @ kernel + bias
    outputs, (h, c) = _scan_steps(step, [h, c], gates, go_backwards, mask)
    return outputs, h, c


def _gru_operator(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    go_backwards: bool,
    mask: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Returns what `gru` does, as a scan."""

    def step(states: list[Tensor], gates: Tensor) -> list[Tensor]:
        (h,) = states
        recurrent = h @ recurrent_kernel if bias is None else h @ recurrent_kernel + bias[1]
        update, reset, candidate = gates.chunk(3, 1)
        r_update, r_reset, r_candidate = recurrent.chunk(3, 1)
        candidate = (candidate + (reset + r_reset).sigmoid() * r_candidate).tanh()
        return [candidate + (update + r_update).sigmoid() * (h - candidate)]

    gates = x @ kernel if bias is None else x @ kernel + bias[0]
    outputs, (h,) = _scan_steps(step, [h], gates, go_backwards, mask)
    return outputs, h


def _scan_steps(
    step: Callable[[list[Tensor], Tensor], list[Tensor]],
    states: list[Tensor],
    gates: Tensor,
    go_backwards: bool,
    mask: Tensor | None,
) -> tuple[Tensor, list[Tensor]]:
    """Scans over the second axis. Returns the outputs as they are computed, and the last states."""
    xs = [gates] if mask is None else [gates, mask.unsqueeze(-1)]
    xs = [(x.flip(1) if go_backwards else x).transpose(0, 1) for x in xs]

    def body(states: list[Tensor], row: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        after = step(states, row[0])
        if mask is not None:
            after = [torch.where(row[1], a, b) for a, b in zip(after, states, strict=True)]
        return after, after[0]

    states, outputs = scan_operator(body, states, xs)
    outputs = outputs.transpose(0, 1)
    if mask is None:
        return outputs, states
    is_started = (mask.flip(1) if go_backwards else mask).cumsum(1) > 0
    return outputs.masked_fill(~is_started.unsqueeze(-1), 0), states
