"""What a config says, read as data: layers and their inputs, compile arguments, custom classes."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parents[1]
# Where the names of built-in classes and functions are listed.
_NAMESPACES = (
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "optimizers/schedules",
    "quantizers",
    "random",
    "regularizers",
)
_EXPORTED = re.compile(r"\b(\w+) as \1\b")  # as public namespaces write it
_OWN = ("keras", "builtins")  # the first part of modules that are not custom
_DATA = "__"  # forms of values: `__numpy__`, `__slice__`


class LayerSummary(NamedTuple):
    """A layer in a config.

    Attributes:
        name: Its name.
        class_name: Its class.
        inputs: The names of the layers whose outputs it is called on.
        layers: The layers in it, if it is a model.
        shape: The shape of an `Input`.
        dtype: Its dtype.
    """

    name: str
    class_name: str
    inputs: tuple[str, ...]
    layers: tuple["LayerSummary", ...]
    shape: tuple[int | None, ...] | None
    dtype: str

    def to_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return {**self._asdict(), "layers": [layer.to_json() for layer in self.layers]}


class CustomObject(NamedTuple):
    """A class or function that is not part of Keras.

    Attributes:
        name: The name under which it must be registered, or passed in `custom_objects`.
        module: The module that it was defined in.
        layers: The layers that use it.
    """

    name: str
    module: str
    layers: tuple[str, ...]


def summarize_model(config: Mapping[str, Any]) -> LayerSummary:
    """Returns the summary of the config of a model.

    Args:
        config: The value of config.json, checked to be the config of an object.
    """
    return _summarize(config)


def find_custom_objects(config: object) -> list[CustomObject]:
    """Returns the custom classes and functions that a config names, in the order of their names.

    Args:
        config: The value of config.json.
    """
    builtin = known_names()
    found: dict[tuple[str, str], dict[str, None]] = {}
    for entry, layer in _objects(config):
        name = _custom_name(entry, builtin)
        if name is not None:
            module = entry.get("module")
            key = name, module if isinstance(module, str) else ""
            found.setdefault(key, {})[layer] = None
    return [
        CustomObject(*key, tuple(filter(None, layers))) for key, layers in sorted(found.items())
    ]


def summarize_compile(config: Mapping[str, Any]) -> dict[str, str]:
    """Returns the arguments of `compile` as texts: optimizer, loss, metrics.

    Args:
        config: The compile config of a model.
    """
    arguments = {key: _short(config.get(key)) for key in ("optimizer", "loss", "metrics")}
    if not arguments["optimizer"]:
        arguments["optimizer"] = _short(config.get("optimizer_config"))
    return {key: text for key, text in arguments.items() if text}


def known_names() -> frozenset[str]:
    """Returns the names of the built-in classes and functions, without importing them."""
    names: set[str] = set()
    for namespace in _NAMESPACES:
        for file in (_HERE / namespace / "__init__.pyi", _HERE / namespace / "__init__.py"):
            if file.exists():
                names.update(_EXPORTED.findall(file.read_text("utf-8")))
    return frozenset(names)


# ---------------------------------------------------------------- layers


def _summarize(entry: Mapping[str, Any]) -> LayerSummary:
    config = entry.get("config")
    config = config if isinstance(config, dict) else {}
    layers = config.get("layers")
    entries = [e for e in layers if isinstance(e, dict)] if isinstance(layers, list) else []
    name = entry.get("name") or config.get("name") or ""
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    return LayerSummary(
        str(name),
        str(entry.get("class_name", "")),
        tuple(dict.fromkeys(_references(entry.get("inbound_nodes")))),
        tuple(_summarize(e) for e in entries),
        tuple(shape) if isinstance(shape, list) else None,
        _short(config.get("dtype")),
    )


def _references(nodes: Any) -> Iterator[str]:
    """Yields the names of the layers whose tensors the calls of a layer receive."""
    stack = [nodes]
    while stack:
        value = stack.pop(0)
        if isinstance(value, dict):
            config = value.get("config")
            history = config.get("keras_history") if isinstance(config, dict) else None
            if value.get("class_name") == "__keras_tensor__" and isinstance(history, list):
                yield str(next(iter(history), ""))
            else:
                stack = [*value.values(), *stack]
        elif isinstance(value, list):
            # Keras 2: [layer, call, output, arguments]
            if len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int):
                yield value[0]
                value = value[3:]
            stack = [*value, *stack]


# ---------------------------------------------------------------- objects


def _objects(config: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Yields the serialized objects in a config, each with the layer that it belongs to."""
    stack: list[tuple[Any, str]] = [(config, "")]
    while stack:
        value, layer = stack.pop()
        if isinstance(value, list):
            stack += [(item, layer) for item in value]
        elif isinstance(value, dict):
            if isinstance(value.get("class_name"), str) and "config" in value:
                inner = value["config"]
                if isinstance(inner, dict) and isinstance(inner.get("name"), str):
                    layer = inner["name"]
                yield value, layer
            stack += [(item, layer) for item in value.values()]


def _custom_name(entry: Mapping[str, Any], builtin: frozenset[str]) -> str | None:
    """Returns the name of a custom object, None for a built-in one or a value."""
    name, module = entry["class_name"], entry.get("module")
    registered = entry.get("registered_name")
    if name.startswith(_DATA):
        return None
    if name == "function":
        name = entry["config"]
    if isinstance(module, str) and module.split(".")[0] in _OWN:
        return None
    if isinstance(registered, str) and registered not in builtin:
        return registered
    return str(name) if module is not None or str(name) not in builtin else None


def _short(value: Any) -> str:
    """Returns a value of a config as short text: the names of classes and functions."""
    if isinstance(value, dict) and "class_name" in value:
        inner = value.get("config")
        if value["class_name"] == "function" or not isinstance(inner, dict):
            return str(inner)
        detail = inner.get("name") if value["class_name"] == "DTypePolicy" else None
        return str(detail or value["class_name"])
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_short(item)}" for key, item in value.items() if _short(item))
    if isinstance(value, list):
        return ", ".join(filter(None, map(_short, value)))
    return "" if value is None else str(value)
