"""Fused LSTM and GRU."""

from collections.abc import Callable, Iterator
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
        # `torch.func` cannot differentiate the packing of sequences.
        is_plain = not (
            torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
        )
        if x.device.type == "cpu" and torch.is_grad_enabled() and is_plain:
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
    initial = h
    lengths = (active.last[:, -1] + 1).clamp(min=1)
    x, sizes, rows, ranks = pack_padded_sequence(x, lengths, True, enforce_sorted=False)
    z = x @ kernel if bias is None else torch.addmm(bias[0], x, kernel)
    arguments = z, h[rows], recurrent_kernel, None if bias is None else bias[1]
    outputs: Any = _Steps.apply(*arguments, sizes.tolist())
    starts = sizes.cumsum(0) - sizes
    return active.restore_packed(outputs, starts, ranks, initial)


def _run_steps(
    z: Tensor, h: Tensor, kernel: Tensor, bias: Tensor | None, sizes: list[int]
) -> Tensor:
    """Returns the packed outputs of the steps of a GRU.

    Args:
        z: Packed contributions of the inputs, of shape `(steps, 3 * units)`.
        h: Initial outputs, in the order in which sequences end, the longest first.
        kernel: The recurrent kernel.
        bias: Its bias.
        sizes: The number of sequences that take part in each step.
    """
    return torch.cat([step[0] for step in _iterate_steps(z, h, kernel, bias, sizes)])


def _iterate_steps(
    z: Tensor, h: Tensor, kernel: Tensor, bias: Tensor | None, sizes: list[int]
) -> Iterator[tuple[Tensor, ...]]:
    """Yields for each step its output, and what the gradient is computed from."""
    units = h.shape[1]
    gates, candidates = (part.split(sizes) for part in z.split([2 * units, units], 1))
    for gate, candidate in zip(gates, candidates, strict=True):
        h = h[: len(gate)]
        r = h @ kernel if bias is None else torch.addmm(bias, h, kernel)
        r_gate, r_candidate = r.split([2 * units, units], 1)
        gate = (gate + r_gate).sigmoid()
        update, reset = gate.chunk(2, 1)
        candidate = torch.addcmul(candidate, reset, r_candidate).tanh()
        before, h = h, torch.lerp(candidate, h, update)
        yield h, before, gate, candidate, r_candidate


class _Steps(torch.autograd.Function):
    """`_run_steps`, with the gradients of weights as one product over all steps."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, h: Tensor, kernel: Tensor, bias: Tensor | None, sizes: list[int]
    ) -> Tensor:
        columns = zip(*_iterate_steps(z, h, kernel, bias, sizes), strict=True)
        outputs, *others = (torch.cat(column) for column in columns)
        ctx.save_for_backward(z, h, kernel, bias, *others)
        ctx.sizes = sizes
        return outputs

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        z, h, kernel, bias, before, gates, candidates, r_candidates = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of the gradient is asked for
            inputs = [x for x in (z, h, kernel, bias) if x is not None and x.requires_grad]
            outputs = _run_steps(z, h, kernel, bias, ctx.sizes)
            found = iter(torch.autograd.grad(outputs, inputs, upstream, create_graph=True))
            wanted = [x is not None and x.requires_grad for x in (z, h, kernel, bias)]
            return *(next(found) if is_wanted else None for is_wanted in wanted), None
        units = h.shape[1]
        slopes = torch.empty_like(z)  # of the contributions of the inputs
        recurrent = torch.empty_like(z)  # of those of the recurrence
        parts = [
            x.split(ctx.sizes)
            for x in (upstream[0], before, gates, candidates, r_candidates, slopes, recurrent)
        ]
        transposed, carried = kernel.t(), None
        for dy, h_old, gate, new, r_new, dz, dr in zip(*map(reversed, parts), strict=True):
            if carried is not None:  # of the sequences that go on
                dy = dy.clone()
                dy[: len(carried)] += carried
            update, reset = gate.chunk(2, 1)
            kept = dy * update
            d_new = torch.ops.aten.tanh_backward(dy - kept, new)
            d_gate = torch.cat((dy * (h_old - new), d_new * r_new), 1)
            d_gate = torch.ops.aten.sigmoid_backward(d_gate, gate)
            dz[:, : 2 * units], dz[:, 2 * units :] = d_gate, d_new
            dr[:, : 2 * units], dr[:, 2 * units :] = d_gate, d_new * reset
            carried = torch.addmm(kept, dr, transposed)
        d_bias = None if bias is None else recurrent.sum(0)
        return slopes, carried, before.t() @ recurrent, d_bias, None


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
