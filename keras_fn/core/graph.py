"""Graphs of nodes between tensors, and the execution plan that runs one."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, NamedTuple, cast

from keras_fn.backend.contract import SupportsOutlining
from keras_fn.backend.loader import current, supports
from keras_fn.core import masking, tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation
from keras_fn.errors import SpecError


def node_of(tensor: KerasTensor) -> Node:
    """Returns the node that computes a tensor."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def topological_sort(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor], source: str
) -> list[Node]:
    """Returns the nodes between inputs and outputs, producers before consumers.

    Args:
        inputs: The tensors at which the graph begins.
        outputs: The tensors at which it ends.
        source: The model, for error messages.

    Raises:
        ValueError: An output cannot be computed from the inputs.
    """
    input_ids = {id(t) for t in inputs}
    done: dict[int, Node] = {}
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:  # not recursive, because a graph can be thousands of nodes deep
        tensor, inputs_done = stack.pop()
        if id(tensor) in input_ids:
            continue
        if not hasattr(tensor, "_keras_history"):
            raise _disconnected_graph_error(tensor, inputs, source)
        node = node_of(tensor)
        if inputs_done:
            done.setdefault(id(node), node)
        elif id(node) not in done:
            if not node.input_tensors:
                raise _disconnected_graph_error(tensor, inputs, source)
            stack.append((tensor, True))
            for parent in reversed(node.input_tensors):
                stack.append((parent, False))
    return list(done.values())


def in_call_order(nodes: Sequence[Node]) -> list[Node]:
    """Returns nodes, producers before consumers, each operation's calls as numbered.

    Whoever repeats the calls in this order numbers them in the same way.

    Args:
        nodes: The nodes of a graph, as `topological_sort` returns them.
    """
    calls: dict[int, list[Node]] = {}
    for node in nodes:
        calls.setdefault(id(node.operation), []).append(node)
    needed = {id(node): node.parent_nodes for node in nodes}
    for own in calls.values():
        own.sort(key=lambda node: node.output_tensors[0]._keras_history.node_index)
        for earlier, later in pairwise(own):
            needed[id(later)].append(earlier)
    done: dict[int, Node] = {}
    entered: set[int] = set()
    stack = [(node, False) for node in reversed(nodes)]
    while stack:
        node, is_ready = stack.pop()
        if is_ready:
            done[id(node)] = node
        elif id(node) not in entered:
            entered.add(id(node))
            stack.append((node, True))
            stack += [(other, False) for other in reversed(needed[id(node)]) if id(other) in needed]
    return list(done.values())


def _disconnected_graph_error(
    tensor: KerasTensor, inputs: Sequence[KerasTensor], source: str
) -> SpecError:
    history = getattr(tensor, "_keras_history", None)
    origin = f" of {history.operation.name!r}" if history else ""
    histories = [getattr(t, "_keras_history", None) for t in inputs]
    names = ", ".join(
        repr(h.operation.name if h else t.name) for h, t in zip(histories, inputs, strict=True)
    )
    return SpecError(
        source,
        expected=f"outputs that can be computed from the inputs {names}",
        received=f"a path that begins at the tensor{origin} (shape {tensor.shape}), not an input",
        fix=f"add that tensor to inputs=, or build the outputs from {names} alone",
    )


def find_source_inputs(tensors: Sequence[KerasTensor]) -> list[KerasTensor]:
    """Returns the tensors of input nodes from which `tensors` are computed."""
    inputs: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    stack = list(reversed(tensors))
    while stack:
        tensor = stack.pop()
        node = node_of(tensor)
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.is_input:
            inputs.update((id(t), t) for t in node.output_tensors)
        stack += reversed(node.input_tensors)
    return list(inputs.values())


def operations_by_depth(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]
) -> list[Operation]:
    """Returns the operations, those farthest from the outputs first: Keras's order, as in files.

    Args:
        inputs: The input tensors, flat.
        outputs: The output tensors, flat.
    """
    order: list[Node] = []  # producers before consumers
    index: dict[int, int] = {}  # of operations, in the order in which the walk reaches them
    parents: dict[int, list[Node]] = {}
    input_nodes = {id(node_of(t)) for t in inputs if hasattr(t, "_keras_history")}
    made = [t for t in outputs if hasattr(t, "_keras_history")]
    stack = [(node_of(t), False) for t in reversed(made)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
            continue
        if id(node) in parents:
            continue
        parents[id(node)] = [] if id(node) in input_nodes else node.parent_nodes
        index.setdefault(id(node.operation), len(index))
        stack.append((node, True))
        for parent in reversed(parents[id(node)]):
            if id(parent) not in parents:
                stack.append((parent, False))
    depths: dict[int, int] = {}
    operations: dict[int, Operation] = {}
    for node in reversed(order):
        operation = node.operation
        operations[id(operation)] = operation
        depth = max(depths.get(id(node), 0), depths.get(id(operation), 0))
        depths[id(node)] = depths[id(operation)] = depth
        for parent in parents[id(node)]:
            depths[id(parent)] = max(depth + 1, depths.get(id(parent), 0))
    for tensor in inputs:
        if not hasattr(tensor, "_keras_history"):
            continue
        operation = tensor._keras_history.operation
        operations.setdefault(id(operation), operation)
        depths.setdefault(id(operation), 0)
        index.setdefault(id(operation), -1)
    return sorted(operations.values(), key=lambda op: (-depths[id(op)], index[id(op)]))


class _Slot(NamedTuple):
    """A tensor in the arguments of a step: its position in the environment."""

    position: int


class _Step(NamedTuple):
    operation: Operation
    single: int  # slot of the only argument, a tensor; -1 if there are other arguments
    args: Any  # nested arguments, with slots for tensors
    kwargs: dict[str, Any]
    outputs: tuple[int, ...]
    takes_training: bool
    slots_to_free: tuple[int, ...]  # slots that no later step reads


class ExecutionPlan:
    """A graph as a flat list of steps, which is sorted and checked once.

    Args:
        inputs: The tensors at which the graph begins.
        outputs: The tensors to compute.
        source: The model, for error messages.

    Attributes:
        nodes: The nodes of the graph, producers before consumers.
        masked: Whether any tensor of the graph has a mask.
        takes_training: Whether any operation takes the mode as an argument.
        is_long: Whether a compiler needs more time for the whole plan than for its parts.
    """

    def __init__(
        self,
        inputs: Sequence[KerasTensor],
        outputs: Sequence[KerasTensor],
        source: str = "Function",
    ):
        self.nodes = topological_sort(inputs, outputs, source)
        self.input_tensors, self.output_tensors = list(inputs), list(outputs)
        self.is_long = len(self.nodes) > _MAX_PART
        slots = {id(t): i for i, t in enumerate(inputs)}
        for node in self.nodes:
            for tensor in node.output_tensors:
                slots.setdefault(id(tensor), len(slots))
        self.size = len(slots)
        self.inputs = len(inputs)
        self.outputs = tuple(slots[id(t)] for t in outputs)
        self.masked = any(t._keras_mask is not None for n in self.nodes for t in n.output_tensors)
        last_use = {slots[id(t)]: k for k, n in enumerate(self.nodes) for t in n.input_tensors}
        kept = set(self.outputs)
        self.steps = [_make_step(n, slots, last_use, k, kept) for k, n in enumerate(self.nodes)]
        self.takes_training = any([step.takes_training for step in self.steps])

    def __getstate__(self) -> dict[str, Any]:
        """Returns the state for copies and pickles: with the nodes that make the inputs."""
        made = [t for t in self.input_tensors if hasattr(t, "_keras_history")]
        state = {key: value for key, value in vars(self).items() if key != "_parts"}
        return {**state, "_input_nodes": [node_of(t) for t in made]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        _register_nodes([*state.pop("_input_nodes"), *state["nodes"]])
        vars(self).update(state)

    def run(
        self,
        values: Sequence[Any],
        training: bool | None = None,
        masks: Sequence[Any] | None = None,
        call: Callable[[Operation], Callable[..., Any]] | None = None,
    ) -> list[Any]:
        """Runs the steps.

        Args:
            values: A tensor for each input.
            training: Passed to every operation that takes it.
            masks: A mask or None for each input.
            call: Returns the function to call instead of an operation. By default the operation.

        Returns:
            A tensor for each output.
        """
        env = [*values, *[None] * (self.size - self.inputs)]
        if masks is not None and any(m is not None for m in masks):
            for value, mask in zip(values, masks, strict=True):
                masking.set_mask(value, mask)
        for step in self.steps:
            operation, single, args, kwargs, outputs, takes_training, slots_to_free = step
            function = operation if call is None else call(operation)
            if takes_training and "training" not in kwargs:
                kwargs = {**kwargs, "training": training}
            if single >= 0:
                result = function(env[single], **kwargs)
            else:
                filled_args, filled_kwargs = _fill_slots((args, kwargs), env)
                result = function(*filled_args, **filled_kwargs)
            if len(outputs) == 1:
                nested = isinstance(result, (list, tuple, dict))
                env[outputs[0]] = tree.flatten(result)[0] if nested else result
            else:
                for slot, value in zip(outputs, tree.flatten(result), strict=True):
                    env[slot] = value
            for slot in slots_to_free:
                env[slot] = None
        return [env[i] for i in self.outputs]

    def run_in_parts(self, values: Sequence[Any], training: bool | None = None) -> list[Any]:
        """Runs the steps; inside a compiled function, as functions of some hundred steps each.

        Compilers need more than twice the time for a function that is twice as long.

        Args:
            values: A tensor for each input.
            training: Passed to every operation that takes it.

        Returns:
            A tensor for each output, without a mask. No layer may add a loss.
        """
        if not self.is_long or not supports("outline"):
            return self.run(values, training)
        backend = cast(SupportsOutlining, current())
        known = dict(zip(map(id, self.input_tensors), values, strict=True))
        for part in self._parts:
            given = [known[id(t)] for t in part.input_tensors]
            results = backend.outline(partial(part.run, training=training), given)
            known.update(zip(map(id, part.output_tensors), results, strict=True))
        return [known[id(t)] for t in self.output_tensors]

    @cached_property
    def _parts(self) -> list["ExecutionPlan"]:
        """Plans of some consecutive steps each, which together are this one."""
        groups = [self.nodes[k : k + _MAX_PART] for k in range(0, len(self.nodes), _MAX_PART)]
        needed = {id(t) for t in self.output_tensors}
        parts: list[ExecutionPlan] = []
        for nodes in reversed(groups):
            made = {id(t): t for n in nodes for t in n.output_tensors}
            outputs = [t for key, t in made.items() if key in needed]
            inputs = {id(t): t for n in nodes for t in n.input_tensors if id(t) not in made}
            needed.update(inputs)
            parts.append(ExecutionPlan(list(inputs.values()), outputs))
        return parts[::-1]


def _register_nodes(nodes: Sequence[Node]) -> None:
    """Registers the nodes of a copied graph at their operations, in the order of their calls."""
    calls: list[tuple[int, Node]] = []
    for node in nodes:
        tensors = getattr(node, "output_tensors", None)  # without, an outer copy registers it
        if tensors:
            calls.append((tensors[0]._keras_history.node_index, node))
    for _, node in sorted(calls, key=lambda call: call[0]):
        if not any(other is node for other in node.operation._inbound_nodes):
            node.register()


# Of 25 to 400 steps, what XLA needs for 1,600 Dense layers differs by a fifth; whole, it needs
# three times as long. A model of a usual depth stays one function, and loses no fusion.
_MAX_PART = 256


def _make_step(
    node: Node, slots: dict[int, int], last_use: dict[int, int], k: int, outputs: set[int]
) -> _Step:
    """Returns step `k` of a plan."""

    def to_slot(x: Any) -> Any:
        return _Slot(slots[id(x)]) if isinstance(x, KerasTensor) else x

    args, kwargs, single = node.args, node.kwargs, -1
    is_single = len(args) == 1 and isinstance(args[0], KerasTensor)
    if is_single and (not kwargs or not kwargs.keys() - {"training"}):
        single = slots[id(args[0])]  # and nothing else to fill in
    else:
        args, kwargs = tree.map_structure(to_slot, (args, kwargs))
    signature = getattr(node.operation, "_signature", None)
    inputs = [slots[id(t)] for t in node.input_tensors]
    return _Step(
        node.operation,
        single,
        args,
        kwargs,
        tuple([slots[id(t)] for t in node.output_tensors]),
        bool(signature is not None and signature.has_training),
        tuple([slot for slot in inputs if last_use[slot] == k and slot not in outputs]),
    )


def _fill_slots(x: Any, env: list[Any]) -> Any:
    """Replaces slots by the values in `env`. In Python, so that Dynamo can trace it."""
    cls = type(x)
    if cls is _Slot:
        return env[x.position]
    if cls is list:
        return [_fill_slots(item, env) for item in x]
    if cls is tuple:
        return tuple([_fill_slots(item, env) for item in x])
    if cls is dict:
        return {key: _fill_slots(value, env) for key, value in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return cls(*[_fill_slots(item, env) for item in x])
    return x
