"""Configs of graphs, in the form of Keras's files, and graphs from configs."""

from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError


def config_of(model: Any) -> dict[str, Any]:
    """Returns the config of a Functional model."""
    inside = {id(node) for node in model._plan.nodes}
    places: dict[int, int] = {}  # node: its index among the calls of its operation in this model
    for operation in model.operations:
        own = [n for n in operation._inbound_nodes if id(n) in inside or n.is_input]
        places.update((id(node), i) for i, node in enumerate(own))

    def history(tensor: KerasTensor) -> list[Any]:
        operation, node_index, tensor_index = tensor._keras_history
        return [operation.name, places[id(operation._inbound_nodes[node_index])], tensor_index]

    layers = []
    for operation in model.operations:
        entry = serialize_keras_object(operation)
        entry["name"] = operation.name
        entry["inbound_nodes"] = [
            _node_config(node, history) for node in operation._inbound_nodes if id(node) in inside
        ]
        layers.append(entry)
    return {
        "name": model.name,
        "trainable": model._trainable,
        "layers": layers,
        "input_layers": tree.map_structure(history, model._inputs_struct),
        "output_layers": tree.map_structure(history, model._outputs_struct),
    }


def _node_config(node: Node, history: Any) -> dict[str, Any]:
    def leaf(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            config = {"shape": x.shape, "dtype": x.dtype, "keras_history": history(x)}
            return {"class_name": "__keras_tensor__", "config": config}
        return serialize_keras_object(x)

    return {
        "args": [_map(leaf, x) for x in node.args],
        "kwargs": {key: _map(leaf, value) for key, value in node.kwargs.items()},
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
    """Returns the model of a config: its layers made first, then called in the order recorded."""
    who = f"{cls.__name__} model {config.get('name')!r}"
    with CustomObjectScope(custom_objects):
        operations: dict[str, Operation] = {}
        for entry in config["layers"]:
            name = entry.get("name") or entry["config"]["name"]
            if name in operations:
                raise SpecError(
                    who, expected="layers whose names are all different",
                    given=f"two layers named {name!r}", fix="the config is damaged",
                )  # fmt: skip
            operations[name] = _operation(entry)
        _replay(config["layers"], operations, who)

    def tensor(reference: list[Any]) -> KerasTensor:
        name, node_index, tensor_index = reference
        return _output(operations, name, node_index, tensor_index, who)

    inputs = _map_references(tensor, config["input_layers"])
    outputs = _map_references(tensor, config["output_layers"])
    extra = {k: config[k] for k in ("name", "trainable") if config.get(k) is not None}
    return cls(inputs, outputs, **extra)


def _operation(entry: dict[str, Any]) -> Operation:
    made = deserialize_keras_object(entry, role="layer")
    if not isinstance(made, Operation):
        raise SpecError(
            "Model.from_config", expected="a layer", given=f"{type(made).__name__}",
            fix="register the class as a Layer",
        )  # fmt: skip
    return made


def _replay(entries: list[dict[str, Any]], operations: dict[str, Operation], who: str) -> None:
    """Calls the operations as recorded; a call waits until its tensors are there."""
    waiting = [
        [entry.get("name") or entry["config"]["name"], list(_calls(entry))] for entry in entries
    ]
    while any(calls for _, calls in waiting):
        progress = False
        for name, calls in waiting:
            while calls and _try_call(operations, name, calls[0], who):
                calls.pop(0)
                progress = True
        if not progress:
            stuck = [name for name, calls in waiting if calls]
            raise SpecError(
                who, expected="calls whose tensors come from earlier calls",
                given=f"a circle among {', '.join(stuck[:5])}", fix="the config is damaged",
            )  # fmt: skip


def _calls(entry: dict[str, Any]) -> list[Any]:
    return entry.get("inbound_nodes") or []


class _NotYet(Exception):
    """A tensor that a call needs is not made yet."""


def _try_call(operations: dict[str, Operation], name: str, call: Any, who: str) -> bool:
    def leaf(x: Any) -> Any:
        if x.get("class_name") == "__keras_tensor__":
            reference = x["config"]["keras_history"]
            return _output(operations, *reference, who, wait=True)
        return deserialize_keras_object(x)

    try:
        if isinstance(call, dict):
            args = [_map_objects(leaf, x) for x in call["args"]]
            kwargs = {k: _map_objects(leaf, v) for k, v in call["kwargs"].items()}
        else:  # the form of Keras 2: a list of [layer, node, tensor, kwargs]
            args, kwargs = _legacy_call(call, operations, who)
    except _NotYet:
        return False
    operations[name](*args, **{k: v for k, v in kwargs.items() if v is not None})
    return True


def _legacy_call(call: Any, operations: dict[str, Operation], who: str) -> tuple[list, dict]:
    references = [call] if call and isinstance(call[0], str) else call
    tensors, kwargs = [], {}
    for name, node_index, tensor_index, *rest in references:
        tensors.append(_output(operations, name, node_index, tensor_index, who, wait=True))
        kwargs.update(rest[0] if rest and rest[0] else {})
    return [tensors[0] if len(tensors) == 1 else tensors], kwargs


def _output(
    operations: dict[str, Operation],
    name: str,
    node_index: int,
    tensor_index: int,
    who: str,
    wait: bool = False,
) -> KerasTensor:
    nodes = operations[name]._inbound_nodes if name in operations else None
    if nodes is not None and 0 <= node_index < len(nodes):
        tensors = nodes[node_index].output_tensors
        if 0 <= tensor_index < len(tensors):
            return tensors[tensor_index]
    elif nodes is not None and wait and node_index >= 0:
        raise _NotYet
    raise SpecError(
        who, expected="references to calls of the model's layers",
        given=f"{[name, node_index, tensor_index]}", fix="the config is damaged",
    )  # fmt: skip


def _map_objects(function: Any, x: Any) -> Any:
    """Applies `function` to every serialized object inside plain structures."""
    if isinstance(x, dict):
        if "class_name" in x and "config" in x:
            return function(x)
        return {key: _map_objects(function, value) for key, value in x.items()}
    if isinstance(x, list):
        return [_map_objects(function, item) for item in x]
    return x


def _map_references(function: Any, x: Any) -> Any:
    """Applies `function` to every `[name, node, tensor]` inside plain structures."""
    if isinstance(x, dict):
        return {key: _map_references(function, value) for key, value in x.items()}
    if len(x) == 3 and isinstance(x[0], str) and isinstance(x[1], int):
        return function(x)
    return [_map_references(function, item) for item in x]
