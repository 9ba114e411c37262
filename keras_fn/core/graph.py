"""The graph of nodes between some tensors, and the flat plan that runs it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras_fn.core import masking, tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation
from keras_fn.errors import SpecError


def node_of(tensor: KerasTensor) -> Node:
    """Returns the node that computes a tensor."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def topological_sort(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor], who: str
) -> list[Node]:
    """Returns the nodes between inputs and outputs, producers before consumers.

    Raises:
        ValueError: An output cannot be computed from the inputs.
    """
    entrances = {id(t) for t in inputs}
    done: dict[int, Node] = {}
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:  # a loop, not recursion: a graph can be thousands of nodes deep
        tensor, args_done = stack.pop()
        if id(tensor) in entrances:
            continue
        if not hasattr(tensor, "_keras_history"):
            raise _disconnected_graph_error(tensor, inputs, who)
        node = node_of(tensor)
        if args_done:
            done.setdefault(id(node), node)
        elif id(node) not in done:
            if node.is_input:
                raise _disconnected_graph_error(tensor, inputs, who)
            stack.append((tensor, True))
            stack += [(t, False) for t in reversed(node.input_tensors)]
    return list(done.values())


def _disconnected_graph_error(
    tensor: KerasTensor, inputs: Sequence[KerasTensor], who: str
) -> SpecError:
    history = getattr(tensor, "_keras_history", None)
    source = f" of {history.operation.name!r}" if history else ""
    sources = [getattr(t, "_keras_history", None) for t in inputs]
    names = ", ".join(
        repr(s.operation.name if s else t.name) for s, t in zip(sources, inputs, strict=True)
    )
    return SpecError(
        who,
        expected=f"outputs that can be computed from the inputs {names}",
        received=f"a path that begins at the tensor{source} (shape {tensor.shape}), no input of it",
        fix=f"add that tensor to inputs=, or build the outputs from {names} alone",
    )


def find_source_inputs(tensors: Sequence[KerasTensor]) -> list[KerasTensor]:
    """Returns the tensors of input nodes from which `tensors` are computed."""
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    stack = list(reversed(tensors))
    while stack:
        tensor = stack.pop()
        node = node_of(tensor)
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.is_input:
            found.update((id(t), t) for t in node.output_tensors)
        stack += reversed(node.input_tensors)
    return list(found.values())


class _Slot(NamedTuple):
    """Stands for a tensor in the arguments of a step."""

    place: int


class _Step(NamedTuple):
    operation: Operation
    single: int  # slot of the one tensor argument, or -1
    args: Any  # nested arguments with slots for tensors
    kwargs: dict[str, Any]
    outputs: tuple[int, ...]
    takes_training: bool
    uses_masks: bool
    slots_to_free: tuple[int, ...]  # slots that nothing needs any more


class ExecutionPlan:
    """A graph as a list of steps: running it walks no tree and checks nothing again.

    Args:
        inputs: Tensors that are given.
        outputs: Tensors to compute.
        who: Whose plan it is, for errors.
    """

    def __init__(
        self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor], who: str = "Function"
    ):
        self.nodes = topological_sort(inputs, outputs, who)
        slots = {id(t): i for i, t in enumerate(inputs)}
        for node in self.nodes:
            for tensor in node.output_tensors:
                slots.setdefault(id(tensor), len(slots))
        self.size = len(slots)
        self.inputs = len(inputs)
        self.outputs = tuple(slots[id(t)] for t in outputs)
        self.masked = any(t._keras_mask is not None for n in self.nodes for t in n.output_tensors)
        last_use = {slots[id(t)]: k for k, n in enumerate(self.nodes) for t in n.input_tensors}
        self.steps = [
            _make_step(node, slots, last_use, k, set(self.outputs))
            for k, node in enumerate(self.nodes)
        ]

    def run(
        self,
        values: Sequence[Any],
        training: bool | None = None,
        masks: Sequence[Any] | None = None,
        call: Callable[[Operation], Callable[..., Any]] | None = None,
    ) -> list[Any]:
        """Runs the steps.

        Args:
            values: The inputs.
            training: Passed to every operation that takes it.
            masks: A mask or None for each input.
            call: What to call in place of an operation, to run the plan on something else.

        Returns:
            The outputs.
        """
        env = [*values, *[None] * (self.size - self.inputs)]
        if masks is not None and any(m is not None for m in masks):
            for value, mask in zip(values, masks, strict=True):
                masking.set_mask(value, mask)
        for (
            operation,
            single,
            args,
            kwargs,
            outputs,
            takes_training,
            _,
            slots_to_free,
        ) in self.steps:
            function = operation if call is None else call(operation)
            if takes_training and "training" not in kwargs:
                kwargs = {**kwargs, "training": training}
            if single >= 0:
                result = function(env[single], **kwargs)
            else:
                filled, named = _fill((args, kwargs), env)
                result = function(*filled, **named)
            if len(outputs) == 1:
                nested = isinstance(result, (list, tuple, dict))
                env[outputs[0]] = tree.flatten(result)[0] if nested else result
            else:
                for slot, value in zip(outputs, tree.flatten(result), strict=True):
                    env[slot] = value
            for slot in slots_to_free:
                env[slot] = None
        return [env[i] for i in self.outputs]


def _make_step(
    node: Node, slots: dict[int, int], last_use: dict[int, int], k: int, kept: set[int]
) -> _Step:
    def slotted(x: Any) -> Any:
        return _Slot(slots[id(x)]) if isinstance(x, KerasTensor) else x

    args, kwargs = _map_leaves(slotted, node.args), _map_leaves(slotted, node.kwargs)
    single = -1
    if len(args) == 1 and isinstance(args[0], _Slot) and not node.kwargs.keys() - {"training"}:
        single = args[0].place
    signature = getattr(node.operation, "_signature", None)
    return _Step(
        node.operation,
        single,
        args,
        kwargs,
        tuple(slots[id(t)] for t in node.output_tensors),
        bool(signature is not None and signature.has_training),
        bool(signature is not None and signature.mask_arguments),
        tuple(
            {
                slots[id(t)]
                for t in node.input_tensors
                if last_use[slots[id(t)]] == k and slots[id(t)] not in kept
            }
        ),
    )


def _map_leaves(function: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _map_leaves(function, value) for key, value in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(_map_leaves(function, item) for item in x))
    if isinstance(x, (list, tuple)):
        return type(x)(_map_leaves(function, item) for item in x)
    return function(x)


def _fill(x: Any, env: list[Any]) -> Any:
    """Replaces slots by the values in `env`."""
    kind = type(x)
    if kind is _Slot:
        return env[x.place]
    if kind is list:
        return [_fill(item, env) for item in x]
    if kind is tuple:
        return tuple([_fill(item, env) for item in x])
    if kind is dict:
        return {key: _fill(value, env) for key, value in x.items()}
    return x
