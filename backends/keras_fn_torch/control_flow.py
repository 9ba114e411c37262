"""Scans. Branches and loops are Python's.

In a graph of `torch.export` a scan is an operator, since the number of steps may be unknown.
"""

from collections.abc import Sequence
from typing import Any

import torch

from keras_fn.core import tree
from keras_fn.core.scopes import StatelessScope
from keras_fn_torch.scan_operator import scan_operator
from keras_fn_torch.tensors import Tensor


def scan(
    function: Any,
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """A Python loop: PyTorch executes each step eagerly, so there is nothing to unroll."""
    del unroll
    if torch.compiler.is_exporting():
        return scan_operator(function, init, xs, length, reverse)
    steps = _unstack_steps(xs, length or 0)
    carry, outputs = init, []
    for step in reversed(steps) if reverse else steps:
        carry, output = function(carry, step)
        outputs.append(output)
    if reverse:
        outputs.reverse()
    return carry, _stack_outputs(outputs) if outputs else _empty_outputs(function, init, xs)


def _unstack_steps(xs: Any, length: int) -> Sequence[Any]:
    """Returns the slices along the first axis, nested as `xs`."""
    if isinstance(xs, Tensor):
        return xs.unbind(0)
    leaves = tree.flatten(xs)
    count = next((len(x) for x in leaves if x is not None), length)
    slices = [count * (None,) if x is None else x.unbind(0) for x in leaves]
    return (
        [tree.unflatten(xs, row) for row in zip(*slices, strict=True)] if leaves else [xs] * count
    )


def _empty_outputs(function: Any, init: Any, xs: Any) -> Any:
    """Returns outputs of length 0, with the shape and dtype of a step's output."""

    def blank(x: Any) -> Any:
        return None if x is None else x.new_zeros(x.shape[1:])

    with StatelessScope():
        _, output = function(init, tree.map_structure(blank, xs))
    return tree.map_structure(lambda y: None if y is None else y.new_zeros((0, *y.shape)), output)


def _stack_outputs(outputs: list[Any]) -> Any:
    if set(map(type, outputs)) == {Tensor}:
        return torch.stack(outputs)
    flat = [tree.flatten(output) for output in outputs]
    joined = [
        None if column[0] is None else torch.stack([torch.as_tensor(x) for x in column])
        for column in zip(*flat, strict=True)
    ]
    return tree.unflatten(outputs[0], joined)
