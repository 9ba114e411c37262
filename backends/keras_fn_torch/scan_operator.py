"""Scans in the graphs of `torch.export`, where the number of steps may be unknown.

PyTorch's scan takes a function of flat tensors that uses no other tensors. Which ones a step uses
besides is found by running it once; then they become arguments.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from keras_fn.core import tree
from keras_fn.core.scopes import StatelessScope
from keras_fn_torch.tensors import Tensor


def scan_operator(
    function: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Returns what `ops.scan` does, as one operator of the graph.

    Args:
        function: The step: takes nested states and slices, and returns states and nested outputs.
        init: The first states.
        xs: Nested tensors that are cut along the first axis, or None.
        length: The number of steps, where there are no tensors to cut.
        reverse: Whether to start with the last slice.
    """
    from torch._higher_order_ops.scan import scan_op  # imports Dynamo

    leaves = tree.flatten(xs)
    states = [torch.as_tensor(x) for x in tree.flatten(init)]
    columns = [x for x in leaves if x is not None] or [torch.arange(length or 0)]
    columns = [x.flip(0) for x in columns] if reverse else columns

    def run(states: Sequence[Tensor], slices: Sequence[Tensor]) -> tuple[list[Any], Any]:
        given = iter(slices)
        row = tree.unflatten(xs, [None if x is None else next(given) for x in leaves])
        state, output = function(tree.unflatten(init, states), row)
        return tree.flatten(state), output

    first = [x[0] for x in columns]
    with _UsedTensors([*states, *first]) as used, StatelessScope():
        _, output = run(states, first)  # nothing of it remains in the graph
    others = list(used.found.values())

    def step(*tensors: Tensor) -> list[Tensor]:
        now, slices = tensors[: len(states)], tensors[len(states) :][: len(first)]
        with _Substitutes(others, tensors[len(states) + len(first) :]):
            after, output = run(now, slices)
        cast = [torch.as_tensor(x).to(old.dtype) for x, old in zip(after, states, strict=True)]
        made = [torch.as_tensor(x) for x in tree.flatten(output) if x is not None]
        return [x.clone() for x in (*cast, *made)]  # results may not share memory

    results = scan_op(step, states, columns, tuple(others))
    after, made = results[: len(states)], iter(results[len(states) :])
    outputs = [None if x is None else next(made) for x in tree.flatten(output)]
    outputs = [x.flip(0) if reverse and x is not None else x for x in outputs]
    return tree.unflatten(init, after), tree.unflatten(output, outputs)


class _UsedTensors(TorchFunctionMode):
    """Mode that finds the tensors that a function uses, besides given ones and those it makes.

    Attributes:
        found: The tensors, by identity.
    """

    def __init__(self, given: Sequence[Tensor]):
        super().__init__()
        self.known = {id(x): x for x in given}  # with the tensor, so that its id stays valid
        self.found: dict[int, Tensor] = {}

    def __torch_function__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        for x in tree.flatten((args, kwargs)):
            if isinstance(x, Tensor) and id(x) not in self.known:
                self.found[id(x)] = x
        result = function(*args, **kwargs)
        self.known |= {id(x): x for x in tree.flatten(result) if isinstance(x, Tensor)}
        return result


class _Substitutes(TorchFunctionMode):
    """Mode in which functions receive other tensors in place of some."""

    def __init__(self, tensors: Sequence[Tensor], substitutes: Sequence[Tensor]):
        super().__init__()
        self.tensors = tensors  # so that the ids stay valid
        self.substitutes = {id(x): y for x, y in zip(tensors, substitutes, strict=True)}

    def __torch_function__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        def substitute(x: Any) -> Any:
            return self.substitutes.get(id(x), x) if isinstance(x, Tensor) else x

        replaced = tree.map_structure(substitute, (args, kwargs or {}))
        return function(*replaced[0], **replaced[1])
