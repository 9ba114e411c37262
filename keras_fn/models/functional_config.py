"""Configs of Functional models in the form of Keras's files, and models from configs."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

from keras_fn.core import tree
from keras_fn.core.graph_model import GraphModel, is_graph_model
from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.core.operation import Node, Operation
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import OpNode
from keras_fn.saving import op_serialization

# The keys of the config of a graph; `dtype` is from subclasses that call super().get_config().
_KEYS = {"name", "trainable", "layers", "input_layers", "output_layers", "dtype"}
_NEEDED = {
    "layers": (list, tuple),
    "input_layers": (list, tuple, dict),
    "output_layers": (list, tuple, dict),
}


def layer_config(model: GraphModel) -> dict[str, Any]:
    """Returns the config of a Functional model."""
    inside = {id(node) for node in model.execution_plan.nodes}
    indices: dict[int, int] = {}  # of each node among the calls of its operation in this model
    for operation in model.operations:
        own = [n for n in operation._inbound_nodes if id(n) in inside or n.is_input]
        indices.update((id(node), i) for i, node in enumerate(own))

    def history(tensor: KerasTensor) -> list[Any]:
        operation, node_index, tensor_index = tensor._keras_history
        node = operation._inbound_nodes[node_index]
        if len(node.output_tensors) > 1:
            ids = [id(x) for x in _in_file_order(node.outputs)]
            tensor_index = ids.index(id(node.output_tensors[tensor_index]))
        return [operation.name, indices[id(node)], tensor_index]

    def endpoint(tensor: KerasTensor) -> list[Any]:
        name, node_index, tensor_index = history(tensor)
        return [name, node_index + _first_call(tensor._keras_history.operation), tensor_index]

    layers = []
    for operation in model.operations:
        nodes = [node for node in operation._inbound_nodes if id(node) in inside]
        layers.append(_entry(operation, nodes, history))
    return {
        "name": model.name,
        "trainable": cast(Any, model)._trainable,
        "layers": layers,
        "input_layers": tree.map_structure(endpoint, model.input_structure),
        "output_layers": tree.map_structure(endpoint, model.output_structure),
    }


def _in_file_order(outputs: Any) -> list[KerasTensor]:
    """Returns the outputs of a call as files count them: those in a dict in the order of its keys.

    Keras sorts the keys of dicts; here they have the order of their declaration.
    """
    if isinstance(outputs, dict):
        keys = list(outputs)
        if all(isinstance(key, str) for key in keys):
            keys.sort()
        return [x for key in keys for x in _in_file_order(outputs[key])]
    if isinstance(outputs, (list, tuple)):
        return [x for output in outputs for x in _in_file_order(output)]
    return tree.flatten(outputs)


def _first_call(operation: Operation) -> int:
    """Returns the index of an operation's first call, as inputs and outputs in a config count it.

    There, and only there, Keras counts the creation of a nested graph as a call.
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
        "args": [tree.map_structure(leaf, x) for x in args],
        "kwargs": tree.map_structure(leaf, kwargs),
    }


def model_from_config(
    cls: type, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Returns the model of a config: creates the layers, then repeats the recorded calls.

    Args:
        cls: The class of the model.
        config: The config, as `layer_config` returns it.
        custom_objects: Custom classes and functions, by name.

    Raises:
        ValueError: The config is malformed: unknown keys, missing or duplicate names, a cycle of
            calls, shapes that the layers do not compute.
    """
    source = f"{cls.__name__} model {config.get('name')!r}"
    if unknown := config.keys() - _KEYS:
        raise _invalid_config(
            source, f"the keys {', '.join(sorted(_KEYS))}", ", ".join(sorted(unknown))
        )
    for key, kinds in _NEEDED.items():
        if not isinstance(config.get(key), kinds):
            raise _invalid_config(
                source, f"{key} in the config", f"{type(config.get(key)).__name__}"
            )
    with CustomObjectScope(custom_objects):
        graph = _GraphBuilder(config["layers"], source)
        graph.replay()
    inputs = _map_references(graph.endpoint, config["input_layers"], source)
    outputs = _map_references(graph.endpoint, config["output_layers"], source)
    extra = {k: config[k] for k in ("name", "trainable") if config.get(k) is not None}
    return cls(inputs, outputs, **extra)


def _invalid_config(source: str, expected: str, received: str) -> SpecError:
    return SpecError(
        source, expected=expected, received=received[:300], fix="the config is damaged"
    )


class _GraphBuilder:
    """The operations of a config, and their calls so far.

    Args:
        entries: The `layers` of the config.
        source: The model, for error messages.
    """

    def __init__(self, entries: list[dict[str, Any]], source: str):
        self.source = source
        self.operations: dict[str, Operation] = {}
        self.options: dict[str, dict[str, Any]] = {}  # of ops: the arguments in their config
        self.calls: list[tuple[str, int, Any]] = []  # operation, index of the node, call
        for entry in entries:
            name = self._name(entry)
            if name in self.operations:
                raise _invalid_config(
                    source, "layers whose names are all different", f"two layers named {name!r}"
                )
            self.operations[name] = self._create(entry, name)
        # A layer that a nested model shares has calls already, which the config does not count.
        self.first = {
            name: sum(not node.is_input for node in operation._inbound_nodes)
            for name, operation in self.operations.items()
        }
        for entry in entries:
            name = self._name(entry)
            calls = entry.get("inbound_nodes") or []
            if not isinstance(calls, list) or not all(map(_is_call, calls)):
                raise _invalid_config(
                    source, f"calls of {name!r} as objects with args and kwargs", f"{calls!r}"
                )
            self.calls += [(name, self.first[name] + i, call) for i, call in enumerate(calls)]

    def _name(self, entry: Any) -> str:
        config = entry.get("config") if isinstance(entry, dict) else None
        name = (entry.get("name") or config.get("name")) if isinstance(config, dict) else None
        if not isinstance(name, str):
            raise _invalid_config(
                self.source, "layers as objects with a name and a config", f"{entry!r}"
            )
        return name

    def _create(self, entry: dict[str, Any], name: str) -> Operation:
        if op_serialization.is_op(entry):
            operation, self.options[name] = op_serialization.read_op(entry)
        else:
            operation = deserialize_keras_object(entry, kind="layer")
        if isinstance(operation, Operation) and "name" not in entry["config"]:
            operation.name = name  # a custom config without a name
        if not isinstance(operation, Operation) or operation.name != name:
            raise _invalid_config(self.source, f"a layer or an op named {name!r}", f"{operation!r}")
        return operation

    def replay(self) -> None:
        """Repeats every call, as soon as its inputs are computed."""
        done = {(n, i) for n, o in self.operations.items() for i in range(len(o._inbound_nodes))}
        missing: list[int] = []  # for each call, the number of calls that it waits for
        waiting: dict[tuple[str, int], list[int]] = {}  # the calls that wait for a call
        for k, (name, index, call) in enumerate(self.calls):
            needs = {self._key(*r[:2]) for r in _references(call)} - done
            if index and (name, index - 1) not in done:
                needs.add((name, index - 1))
            missing.append(len(needs))
            for need in needs:
                waiting.setdefault(need, []).append(k)
        ready = deque(k for k, count in enumerate(missing) if not count)
        repeated = 0
        while ready:
            name, index, call = self.calls[ready.popleft()]
            self._call(name, call)
            repeated += 1
            for k in waiting.pop((name, index), ()):
                missing[k] -= 1
                if not missing[k]:
                    ready.append(k)
        if repeated < len(self.calls):
            stuck = sorted({self.calls[k][0] for k, count in enumerate(missing) if count})
            raise _invalid_config(
                self.source,
                "calls whose tensors come from earlier calls",
                f"a cycle, or missing calls, among {', '.join(stuck[:5])}",
            )

    def _key(self, name: str, node_index: Any) -> tuple[str, Any]:
        """Returns a call as `replay` counts them, from the form of the config."""
        is_valid = name in self.first and isinstance(node_index, int)
        return name, self.first[name] + node_index if is_valid else node_index

    def _call(self, name: str, call: Any) -> None:
        def leaf(x: Any) -> Any:
            if not _is_serialized_object(x):
                return x
            if x["class_name"] != "__keras_tensor__":
                return deserialize_keras_object(x)
            return self._check_shape(self.tensor(x["config"]["keras_history"]), x["config"])

        if isinstance(call, dict):
            args, kwargs = (
                tree.map_structure(leaf, call[key], is_leaf=_is_serialized_object)
                for key in ("args", "kwargs")
            )
        else:  # the form of Keras 2: a list of [layer, node, tensor, kwargs]
            references = _positional_references(call)
            tensors = [self.tensor(r[:3]) for r in references]
            args = [tensors[0] if len(tensors) == 1 else tensors]
            kwargs = {
                k: self.tensor(v) if _is_reference(v) else v
                for r in references
                if len(r) > 3
                for k, v in r[3].items()
            }
        operation = self.operations[name]
        if isinstance(operation, OpNode):  # None can be a value of its options
            args, kwargs = op_serialization.full_call(operation, self.options[name], args, kwargs)
        else:  # Keras records all arguments of a layer's call, with None for the omitted ones
            kwargs = {k: v for k, v in kwargs.items() if v is not None}
        operation(*args, **kwargs)

    def _check_shape(self, tensor: KerasTensor, recorded: dict[str, Any]) -> KerasTensor:
        """Returns the tensor, if its shape is compatible with the recorded one."""
        shape = standardize_shape(recorded.get("shape") or ())
        if not is_compatible(shape, tensor.shape):
            raise _invalid_config(
                self.source,
                f"shape {shape} from {tensor._keras_history.operation.name!r}, as recorded",
                f"shape {tensor.shape}",
            )
        return tensor

    def tensor(self, reference: Any) -> KerasTensor:
        """Returns the tensor at `[layer, node, tensor]`."""
        name, node_index, tensor_index = reference
        operation = self.operations.get(name)
        nodes = operation._inbound_nodes[self.first[name] :] if operation is not None else []
        if isinstance(node_index, int) and 0 <= node_index < len(nodes):
            tensors = _in_file_order(nodes[node_index].outputs)
            if isinstance(tensor_index, int) and 0 <= tensor_index < len(tensors):
                return tensors[tensor_index]
        raise _invalid_config(
            self.source, "references to calls of the model's layers", f"{reference!r}"
        )

    def endpoint(self, reference: list[Any]) -> KerasTensor:
        """Returns the model's input or output at `[layer, node, tensor]`."""
        name, node_index, tensor_index = reference
        operation = self.operations.get(name)
        shift = _first_call(operation) if operation is not None else 0
        return self.tensor([name, node_index - shift, tensor_index])


def _references(call: Any) -> list[list[Any]]:
    """Returns every `[layer, node, tensor]` in the arguments of a recorded call."""
    if not isinstance(call, dict):
        references = _positional_references(call)
        options = [r[3].values() for r in references if len(r) > 3]
        return references + [v for values in options for v in values if _is_reference(v)]
    leaves = tree.flatten([call["args"], call["kwargs"]], is_leaf=_is_tensor_config)
    return [x["config"]["keras_history"] for x in leaves if _is_tensor_config(x)]


def _positional_references(call: list[Any]) -> list[list[Any]]:
    """Returns every `[layer, node, tensor, kwargs]` of a call in the form of Keras 2."""
    return [call] if call and isinstance(call[0], str) else list(call)


def _is_call(call: Any) -> bool:
    """Returns whether a value has the form of a recorded call, of Keras 3 or 2."""
    if isinstance(call, dict):
        return isinstance(call.get("args"), list) and isinstance(call.get("kwargs"), dict)
    if not isinstance(call, list):
        return False
    return all(
        isinstance(r, list) and (len(r) == 3 or (len(r) == 4 and isinstance(r[3], dict)))
        for r in _positional_references(call)
    )


def _is_tensor_config(x: Any) -> bool:
    return isinstance(x, dict) and x.get("class_name") == "__keras_tensor__"


def _is_serialized_object(x: Any) -> bool:
    return isinstance(x, dict) and "class_name" in x and "config" in x


def _is_reference(x: Any) -> bool:
    """Returns whether a value is a `[layer, node, tensor]`."""
    return (
        isinstance(x, (list, tuple))
        and len(x) == 3
        and isinstance(x[0], str)
        and isinstance(x[1], int)
    )


def _map_references(function: Callable[[Any], Any], structure: Any, source: str) -> Any:
    """Returns nested references with each one replaced by `function(reference)`."""

    def leaf(x: Any) -> Any:
        if not _is_reference(x):
            raise _invalid_config(source, "inputs and outputs as [layer, node, tensor]", f"{x!r}")
        return function(x)

    return tree.map_structure(leaf, structure, is_leaf=_is_reference)
