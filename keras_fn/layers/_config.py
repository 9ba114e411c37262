"""Configs of layers, read from the attributes that are named like constructor parameters."""

import inspect
from functools import cache
from typing import Any

from keras_fn import activations, dtype_policies
from keras_fn.core.operation import Operation
from keras_fn.core.registry import builtin_qualified_name, is_builtin
from keras_fn.core.serialization import serialize_keras_object

# Arguments that a config lacks where they are None, as Keras writes it.
_ABSENT_WHEN_NONE = frozenset(
    {"activity_regularizer", "lora_rank", "lora_alpha", "gptq_unpacked_column_size"}
)


@cache
def _parameters(cls: type) -> tuple[str, ...]:
    """The constructor parameters of a built-in layer, with those that it passes to base classes."""
    names: list[str] = []
    for base in cls.__mro__:
        if "__init__" not in vars(base) or not is_builtin(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        names += [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # base classes receive no further arguments
    skipped = {"self", "name", "trainable", "dtype", "autocast", "kwargs"}
    return tuple(dict.fromkeys(n for n in names if n not in skipped))


def _builtin_base(cls: type) -> type | None:
    """The built-in class that a layer is or derives from; None if that is only `Layer`."""
    base = next((base for base in cls.__mro__ if builtin_qualified_name(base)), None)
    return None if base is None or base.__name__ == "Layer" else base


def base_config(layer: Any) -> dict[str, Any]:
    """Returns the part of the config that all layers have."""
    return {
        "name": layer.name,
        "trainable": layer._trainable,
        "dtype": dtype_policies.serialize(_policy_with_inner(layer)),
    }


def _policy_with_inner(layer: Any) -> dtype_policies.DTypePolicy:
    """Returns the dtype policy, as a map if layers inside were quantized, which have others."""
    policy = layer.dtype_policy
    if isinstance(policy, dtype_policies.DTypePolicyMap):
        return policy
    inner = layer._flatten_layers(include_self=False)
    quantized = {x.path: x._policy for x in inner if x._policy.quantization_mode is not None}
    return dtype_policies.DTypePolicyMap(policy, quantized) if quantized else policy


def layer_config(layer: Any) -> dict[str, Any]:
    """Returns the config of a layer."""
    cls = _builtin_base(type(layer))
    return init_arguments_config(layer) if cls is None else attributes_config(layer, cls)


def attributes_config(layer: Any, cls: type) -> dict[str, Any]:
    """Returns the config of a layer: the attributes named like parameters of a built-in class."""
    config = base_config(layer)
    for name in _parameters(cls):
        if name in layer._not_in_config:
            continue
        value = getattr(layer, name)
        if value is None and name in _ABSENT_WHEN_NONE - layer._written_when_none:
            continue
        config[name] = to_serializable(name, value)
    return config


def init_arguments_config(layer: Any) -> dict[str, Any]:
    """Returns the config of an object of a custom class: the arguments of its constructor."""
    config, cls = base_config(layer), type(layer)
    if not is_builtin(cls.get_config):
        return config  # a subclass calls this `get_config` and adds its own arguments
    received = Operation.get_config(layer)
    config.update((k, v) for k, v in received.items() if k not in (*config, "autocast"))
    parameters = inspect.signature(cls.__init__).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return {k: v for k, v in config.items() if takes_all or k in parameters}


def to_serializable(name: str, value: Any) -> Any:
    """Returns an attribute as a plain value."""
    if callable(value) and not hasattr(value, "get_config"):
        return activations.serialize(value)
    if isinstance(value, (list, tuple)):
        items = [to_serializable(name, item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return serialize_keras_object(value)


# Arguments of Keras for low-rank updates, quantization and scaling that a layer does not have, and
# the value with which they have no effect. With any other value the constructor raises.
_NOOP_ARGUMENTS: dict[str, Any] = {
    "lora_rank": None,
    "lora_alpha": None,
    "quantization_config": None,
    "quantization_mode": None,
    "gptq_unpacked_column_size": None,
    "input_length": None,  # of Embedding, in Keras 2
}


def drop_noop_arguments(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """Returns a config without arguments of Keras that have no effect."""
    noops = [
        key for key, value in _NOOP_ARGUMENTS.items() if key in config and config[key] is value
    ]
    if not noops:
        return config
    known = _parameters(_builtin_base(cls) or cls)
    return {k: v for k, v in config.items() if k not in noops or k in known}
