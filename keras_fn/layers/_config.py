"""Configs of layers: read off the constructor's parameters and the attributes of those names."""

import inspect
from functools import cache
from typing import Any

from keras_fn import activations, dtype_policies
from keras_fn.core.operation import Operation
from keras_fn.core.registry import home
from keras_fn.core.serialization import serialize_keras_object


@cache
def _parameters(cls: type) -> tuple[str, ...]:
    """The constructor's parameters of a layer of this package: its own and those it passes on."""
    names: list[str] = []
    for base in cls.__mro__:
        if "__init__" not in vars(base) or not base.__module__.startswith("keras_fn."):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        names += [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # what it does not take it does not pass on
    skipped = {"self", "name", "trainable", "dtype", "autocast", "kwargs"}
    return tuple(dict.fromkeys(n for n in names if n not in skipped))


def _described_by(cls: type) -> type | None:
    """The class of this package that a layer is, or derives from; `Layer` itself describes none."""
    found = next((base for base in cls.__mro__ if home(base)), None)
    return None if found is None or found.__name__ == "Layer" else found


def base_config(layer: Any) -> dict[str, Any]:
    """Returns what every layer's config holds."""
    return {
        "name": layer.name,
        "trainable": layer._trainable,
        "dtype": dtype_policies.serialize(layer.dtype_policy),
    }


def config_of(layer: Any) -> dict[str, Any]:
    """Returns the config of a layer."""
    config = base_config(layer)
    cls = _described_by(type(layer))
    if cls is None:
        return given_config(layer)
    for name in _parameters(cls):
        if name in layer._not_in_config:
            continue
        value = getattr(layer, name)
        if (
            value is None
            and name == "activity_regularizer"
            and name not in layer._written_when_none
        ):
            continue
        config[name] = plain(name, value)
    return config


def given_config(layer: Any) -> dict[str, Any]:
    """Returns the config of an object of the user's class: what its constructor was given."""
    config, cls = base_config(layer), type(layer)
    if not cls.get_config.__module__.startswith("keras_fn."):
        return config  # called by a subclass that adds its own arguments
    received = Operation.get_config(layer)
    config.update((k, v) for k, v in received.items() if k not in (*config, "autocast"))
    parameters = inspect.signature(cls.__init__).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return {k: v for k, v in config.items() if takes_all or k in parameters}


def plain(name: str, value: Any) -> Any:
    """Returns an attribute as a plain value."""
    if callable(value) and not hasattr(value, "get_config"):
        return activations.serialize(value)
    if isinstance(value, (list, tuple)):
        items = [plain(name, item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return serialize_keras_object(value)


# What Keras writes about low-rank updates, quantisation and scalings that a layer does not have,
# and the value that says so. Where the value is another, the constructor refuses the argument.
_UNUSED: dict[str, Any] = {
    "lora_rank": None,
    "lora_alpha": None,
    "quantization_config": None,
    "quantization_mode": None,
    "gptq_unpacked_column_size": None,
    "input_length": None,  # of Embedding, in Keras 2
}


def without_unused(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """Returns a config without the arguments of Keras that ask for nothing."""
    unused = [key for key, value in _UNUSED.items() if key in config and config[key] is value]
    if not unused:
        return config
    known = _parameters(_described_by(cls) or cls)
    return {k: v for k, v in config.items() if k not in unused or k in known}
