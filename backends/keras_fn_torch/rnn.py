"""Fused LSTM and GRU."""

from typing import Any

import torch

from keras_fn_torch.tensors import Tensor


def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    go_backwards: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """`torch.lstm`, which has Keras's order of gates."""
    weights = [_transposed(kernel), _transposed(recurrent_kernel)]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    if go_backwards:
        x = x.flip(1)
    states = (h.unsqueeze(0), c.unsqueeze(0))
    outputs, h, c = torch.lstm(x, states, *_run_options(weights, bias))
    return outputs, h[0], c[0]


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
) -> tuple[Tensor, Tensor]:
    """`torch.gru`, which has the reset gate before the update gate."""
    weights = [_reorder_gru_gates(kernel.t()), _reorder_gru_gates(recurrent_kernel.t())]
    if bias is not None:
        weights += [_reorder_gru_gates(part) for part in bias]
    if go_backwards:
        x = x.flip(1)
    outputs, h = torch.gru(x, h.unsqueeze(0), *_run_options(weights, bias))
    return outputs, h[0]


def _reorder_gru_gates(x: Tensor) -> Tensor:
    update, reset, candidate = x.chunk(3)
    return torch.cat((reset, update, candidate))


def _run_options(weights: list[Tensor], bias: Tensor | None) -> tuple[Any, ...]:
    """Returns one layer, no dropout, unidirectional, batch first; training mode if recording."""
    return weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True
