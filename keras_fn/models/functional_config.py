"""Configs of graphs, in the form of Keras's files, and graphs from configs."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from keras_fn.core import tree
from keras_fn.core.graph_model import is_graph_model
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError
from keras_fn.ops._op import OpNode
from keras_fn.saving import op_serialization

# What the config of a graph may hold; `dtype` is in those of subclasses that call super().
_KEYS = {"name", "trainable", "layers", "input_layers", "output_layers", "dtype"}
_NEEDED = {
    "layers": (list, tuple),
    "input_layers": (list, tuple, dict),
    "output_layers": (list, tuple, dict),
}


def layer_config(model: Any) -> dict[str, Any]:
    """Returns the config of a Functional model."""
    inside = {id(node) for node in model.execution_plan.nodes}
    places: dict[int, int] = {}  # node: its index among the calls of its operation in this model
    for operation in model.operations:
        own = [n for n in operation._inbound_nodes if id(n) in inside or n.is_input]
        places.update((id(node), i) for i, node in enumerate(own))

    def history(tensor: KerasTensor) -> list[Any]:
        operation, node_index, tensor_index = tensor._keras_history
        return [operation.name, places[id(operation._inbound_nodes[node_index])], tensor_index]

    def end(tensor: KerasTensor) -> list[Any]:
        name, node_index, tensor_index = history(tensor)
        return [name, node_index + _first_call(tensor._keras_history.operation), tensor_index]

    layers = []
    for operation in model.operations:
        nodes = [node for node in operation._inbound_nodes if id(node) in inside]
        layers.append(_entry(operation, nodes, history))
    return {
        "name": model.name,
        "trainable": model._trainable,
        "layers": layers,
        "input_layers": tree.map_structure(end, model.input_structure),
        "output_layers": tree.map_structure(end, model.output_structure),
    }


def _first_call(operation: Operation) -> int:
    """The number that inputs and outputs in a config give to the first call of an operation.

    Keras counts the making of a nested graph as a call, there and only there.
    """
    return int(is_graph_model(operation))


def _entry(operation: Operation, nodes: list[Node], history: Any) -> dict[str, Any]:
    if isinstance(operation, OpNode):
        written = [
            op_serialization.written_call(operation, node.args, node.kwargs) for node in nodes
        ]
        entry = written[0][0]
        calls = [_call_config(args, kwargs, history) for _, args, kwargs in written]
    else:
        entry = serialize_keras_object(operation)
        calls = [_call_config(node.args, node.kwargs, history) for node in nodes]
    return {**entry, "name": operation.name, "inbound_nodes": calls}


def _call_config(args: tuple, kwargs: dict[str, Any], history: Any) -> dict[str, Any]:
    def leaf(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            config = {"shape": x.shape, "dtype": x.dtype, "keras_history": history(x)}
            return {"class_name": "__keras_tensor__", "config": config}
        return serialize_keras_object(x)

    return {
        "args": [_map(leaf, x) for x in args],
        "kwargs": {key: _map(leaf, value) for key, value in kwargs.items()},
    }


def _map(function: Any, x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _map(function, value) for key, value in x.items()}
    if isinstance(x, tuple) and not any(isinstance(t, KerasTensor) for t in tree.flatten(x)):
        return function(x)
    if isinstance(x, (list, tuple)):
        return [_map(function, item) for item in x]
    return function(x)


def model_from_config(cls: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """Returns the model of a config: its layers made first, then called in the order recorded.

    Raises:
        ValueError: The config is malformed: unknown keys, names that are not there or there
            twice, calls in a circle, shapes that are not what the layers give.
    """
    source = f"{cls.__name__} model {config.get('name')!r}"
    if unknown := config.keys() - _KEYS:
        raise _damaged(source, f"the keys {', '.join(sorted(_KEYS))}", ", ".join(sorted(unknown)))
    for key, kinds in _NEEDED.items():
        if not isinstance(config.get(key), kinds):
            raise _damaged(source, f"{key} in the config", f"{type(config.get(key)).__name__}")
    with CustomObjectScope(custom_objects):
        graph = _Graph(config["layers"], source)
        graph.replay()
    inputs = _map_references(graph.end, config["input_layers"], source)
    outputs = _map_references(graph.end, config["output_layers"], source)
    extra = {k: config[k] for k in ("name", "trainable") if config.get(k) is not None}
    return cls(inputs, outputs, **extra)


def _damaged(source: str, expected: str, received: str) -> SpecError:
    return SpecError(
        source, expected=expected, received=received[:300], fix="the config is damaged"
    )


class _Graph:
    """The operations of a config, and their calls as far as they have been made.

    Args:
        entries: The `layers` of the config.
        who: The model, for errors.
    """

    def __init__(self, entries: list[dict[str, Any]], source: str):
        self.source = source
        self.operations: dict[str, Operation] = {}
        self.options: dict[str, dict[str, Any]] = {}  # of ops: arguments that their config holds
        self.calls: list[tuple[str, int, Any]] = []  # operation, index of the node, call
        for entry in entries:
            name = entry.get("name") or entry["config"]["name"]
            if name in self.operations:
                raise _damaged(
                    source, "layers whose names are all different", f"two layers named {name!r}"
                )
            operation = self.operations[name] = self._make(entry, name)
            first = len(operation._inbound_nodes)
            calls = entry.get("inbound_nodes") or []
            self.calls += [(name, first + i, call) for i, call in enumerate(calls)]

    def _make(self, entry: dict[str, Any], name: str) -> Operation:
        if op_serialization.is_op(entry):
            made, self.options[name] = op_serialization.read_op(entry)
        else:
            made = deserialize_keras_object(entry, kind="layer")
        if isinstance(made, Operation) and "name" not in entry["config"]:
            made.name = name  # a config of the user's own, which leaves the name to the graph
        if not isinstance(made, Operation) or made.name != name:
            raise _damaged(self.source, f"a layer or an op named {name!r}", f"{made!r}")
        return made

    def replay(self) -> None:
        """Makes every call once what it takes is there; each is looked at once."""
        done = {(n, i) for n, o in self.operations.items() for i in range(len(o._inbound_nodes))}
        missing: list[int] = []  # by call: on how many other calls it waits
        waiting: dict[tuple[str, int], list[int]] = {}  # call that is waited for: who waits
        for k, (name, index, call) in enumerate(self.calls):
            needs = {tuple(r[:2]) for r in _references(call)} - done
            if index and (name, index - 1) not in done:
                needs.add((name, index - 1))
            missing.append(len(needs))
            for need in needs:
                waiting.setdefault(need, []).append(k)
        ready = deque(k for k, count in enumerate(missing) if not count)
        made = 0
        while ready:
            name, index, call = self.calls[ready.popleft()]
            self._call(name, call)
            made += 1
            for k in waiting.pop((name, index), ()):
                missing[k] -= 1
                if not missing[k]:
                    ready.append(k)
        if made < len(self.calls):
            stuck = sorted({self.calls[k][0] for k, count in enumerate(missing) if count})
            raise _damaged(
                self.source,
                "calls whose tensors come from earlier calls",
                f"a circle, or calls that are not there, among {', '.join(stuck[:5])}",
            )

    def _call(self, name: str, call: Any) -> None:
        def leaf(x: dict[str, Any]) -> Any:
            if x.get("class_name") != "__keras_tensor__":
                return deserialize_keras_object(x)
            return self._checked(self.tensor(x["config"]["keras_history"]), x["config"])

        if isinstance(call, dict):
            args = [_map_objects(leaf, x) for x in call["args"]]
            kwargs = {k: _map_objects(leaf, v) for k, v in call["kwargs"].items()}
        else:  # the form of Keras 2: a list of [layer, node, tensor, kwargs]
            references = list(_references(call))
            tensors = [self.tensor(r[:3]) for r in references]
            args = [tensors[0] if len(tensors) == 1 else tensors]
            kwargs = {k: v for r in references if len(r) > 3 for k, v in r[3].items()}
        operation = self.operations[name]
        if isinstance(operation, OpNode):  # whose options may be None where that says something
            args, kwargs = op_serialization.full_call(operation, self.options[name], args, kwargs)
        else:  # files of Keras name all arguments of a layer's call, with None for those left out
            kwargs = {k: v for k, v in kwargs.items() if v is not None}
        operation(*args, **kwargs)

    def _checked(self, tensor: KerasTensor, recorded: dict[str, Any]) -> KerasTensor:
        """Returns the tensor, if the config says nothing else about its shape."""
        shape = tuple(recorded.get("shape") or ())
        fits = len(shape) == len(tensor.shape) and all(
            a is None or b is None or a == b for a, b in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            raise _damaged(
                self.source,
                f"that {tensor._keras_history.operation.name!r} gives shape {shape}, as recorded",
                f"shape {tensor.shape}",
            )
        return tensor

    def tensor(self, reference: Any) -> KerasTensor:
        """Returns the tensor at `[layer, node, tensor]`."""
        name, node_index, tensor_index = reference
        operation = self.operations.get(name)
        nodes = operation._inbound_nodes if operation is not None else []
        if isinstance(node_index, int) and 0 <= node_index < len(nodes):
            tensors = nodes[node_index].output_tensors
            if isinstance(tensor_index, int) and 0 <= tensor_index < len(tensors):
                return tensors[tensor_index]
        raise _damaged(self.source, "references to calls of the model's layers", f"{reference!r}")

    def end(self, reference: list[Any]) -> KerasTensor:
        """Returns the input or output at `[layer, node, tensor]`."""
        name, node_index, tensor_index = reference
        operation = self.operations.get(name)
        shift = _first_call(operation) if operation is not None else 0
        return self.tensor([name, node_index - shift, tensor_index])


def _references(call: Any) -> Iterator[list[Any]]:
    """Yields every `[layer, node, tensor]` that a recorded call takes."""
    if not isinstance(call, dict):
        yield from [call] if call and isinstance(call[0], str) else call
        return
    stack = [call["kwargs"], call["args"]]
    while stack:
        x = stack.pop()
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            yield x["config"]["keras_history"]
        elif isinstance(x, (dict, list, tuple)):
            stack += x.values() if isinstance(x, dict) else x


def _map_objects(function: Callable[[Any], Any], x: Any) -> Any:
    """Applies `function` to every serialized object inside plain structures."""
    if isinstance(x, dict):
        if "class_name" in x and "config" in x:
            return function(x)
        return {key: _map_objects(function, value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(_map_objects(function, item) for item in x)
    return x


def _map_references(function: Callable[[Any], Any], x: Any, source: str) -> Any:
    """Applies `function` to every `[name, node, tensor]` inside plain structures."""
    if isinstance(x, dict):
        return {key: _map_references(function, value, source) for key, value in x.items()}
    if not isinstance(x, (list, tuple)):
        raise _damaged(source, "inputs and outputs as [layer, node, tensor]", f"{x!r}")
    if len(x) == 3 and isinstance(x[0], str) and isinstance(x[1], int):
        return function(x)
    return [_map_references(function, item, source) for item in x]
