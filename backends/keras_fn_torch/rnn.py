"""Loops over time, and the recurrent networks that PyTorch runs as one."""

from collections.abc import Sequence
from typing import Any

import torch

from keras_fn.core import tree
from keras_fn.core.scopes import StatelessScope
from keras_fn_torch.tensors import Tensor


def scan(
    function: Any,
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """A loop in Python: PyTorch runs each step as it comes, so there is nothing to unroll."""
    del unroll
    steps = _steps(xs, length or 0)
    carry, outputs = init, []
    for step in reversed(steps) if reverse else steps:
        carry, output = function(carry, step)
        outputs.append(output)
    if reverse:
        outputs.reverse()
    return carry, _stacked(outputs) if outputs else _nothing(function, init, xs)


def _steps(xs: Any, length: int) -> Sequence[Any]:
    """The slices along the first axis, nested as `xs`."""
    if isinstance(xs, Tensor):
        return xs.unbind(0)
    leaves = tree.flatten(xs)
    count = next((len(x) for x in leaves if x is not None), length)
    slices = [count * (None,) if x is None else x.unbind(0) for x in leaves]
    return (
        [tree.unflatten(xs, row) for row in zip(*slices, strict=True)] if leaves else [xs] * count
    )


def _nothing(function: Any, init: Any, xs: Any) -> Any:
    """No outputs, of the shape and dtype that one would have."""

    def blank(x: Any) -> Any:
        return None if x is None else x.new_zeros(x.shape[1:])

    with StatelessScope():
        _, output = function(init, tree.map_structure(blank, xs))
    return tree.map_structure(lambda y: None if y is None else y.new_zeros((0, *y.shape)), output)


def _stacked(outputs: list[Any]) -> Any:
    if set(map(type, outputs)) == {Tensor}:
        return torch.stack(outputs)
    flat = [tree.flatten(output) for output in outputs]
    joined = [
        None if column[0] is None else torch.stack([torch.as_tensor(x) for x in column])
        for column in zip(*flat, strict=True)
    ]
    return tree.unflatten(outputs[0], joined)


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
    """A kernel in PyTorch's order of axes.

    The memory of a weight is brought to that order once, behind its shape: else each step would
    copy the weight, and its gradient back.
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
    """`torch.gru`, which takes the reset gate before the update gate."""
    weights = [_reset_first(kernel.t()), _reset_first(recurrent_kernel.t())]
    if bias is not None:
        weights += [_reset_first(part) for part in bias]
    if go_backwards:
        x = x.flip(1)
    outputs, h = torch.gru(x, h.unsqueeze(0), *_run_options(weights, bias))
    return outputs, h[0]


def _reset_first(x: Tensor) -> Tensor:
    update, reset, candidate = x.chunk(3)
    return torch.cat((reset, update, candidate))


def _run_options(weights: list[Tensor], bias: Tensor | None) -> tuple[Any, ...]:
    """One layer, no dropout, forwards only, batch first; `train` as gradients are wanted."""
    return weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True
