"""The configs of Keras 2: a class name and the arguments of its constructor, without a module.

Names are looked up among the objects that the caller passes, and those that the program registered.
Nothing in a config is imported or evaluated.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from keras_fn.core.registry import CustomObjectScope, get_registered_name, get_registered_object
from keras_fn.core.serialization import UnknownObjectError, check_code_free
from keras_fn.errors import DTypeError, SpecError, find_similar

_INNER = "__passive_serialization__"  # Keras's mark of the config of an object in another config


def serialize_keras_object(instance: object) -> Any:
    """Serializes an object in the form of Keras 2. New programs use `keras.saving`.

    Args:
        instance: An object with `get_config`, or a function.

    Returns:
        A dict of `class_name` and `config`; of a function its name; of None, None.

    Raises:
        ValueError: The object is neither.

    Example:
        >>> keras.utils.legacy.serialize_keras_object(keras.regularizers.L2(0.5))
        {'class_name': 'L2', 'config': {'l2': 0.5}}
        >>> keras.utils.legacy.serialize_keras_object(keras.activations.relu)
        'relu'
    """
    obj: Any = inspect.unwrap(instance) if callable(instance) else instance
    if obj is None:
        return None
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        config = {key: _serialize_item(value) for key, value in obj.get_config().items()}
        return {"class_name": get_registered_name(type(obj)), "config": config}
    if hasattr(obj, "__name__"):
        return get_registered_name(obj)
    raise SpecError(
        "serialize_keras_object",
        expected="an object with get_config(), or a function",
        received=f"{obj!r}"[:200],
        fix="give its class a get_config() that returns the arguments of its constructor",
    )


def _serialize_item(value: Any) -> Any:
    if hasattr(value, "get_config") and not isinstance(value, type):
        return {**serialize_keras_object(value), _INNER: True}
    return get_registered_name(value) if hasattr(value, "__name__") else value


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Returns the object that a config of Keras 2 describes. New programs use `keras.saving`.

    Args:
        identifier: The config, as `serialize_keras_object` returns it; the name of a function, or
            of a class, of which an instance is made; a function, which is returned.
        module_objects: The built-in objects of a library, by name.
        custom_objects: The objects of a program, by name.
        printable_module_name: What the object is, for errors.

    Returns:
        The object; None for None.

    Raises:
        ValueError: The name is unknown, or the config is malformed or holds code.
        TypeError: The class does not accept the config.

    Example:
        >>> config = {"class_name": "L2", "config": {"l2": 0.5}}
        >>> names = vars(keras.regularizers)
        >>> float(keras.utils.legacy.deserialize_keras_object(config, names).l2)
        0.5
    """
    if identifier is None or inspect.isfunction(identifier):
        return identifier
    if isinstance(identifier, str):
        obj = _look_up(identifier, module_objects, custom_objects, printable_module_name)
        return obj() if isinstance(obj, type) else obj
    is_config = isinstance(identifier, Mapping) and {"class_name", "config"} <= identifier.keys()
    name = identifier["class_name"] if is_config else None
    if not isinstance(name, str):
        raise SpecError(
            "deserialize_keras_object",
            expected=f"a name, or a dict of class_name and config, for a {printable_module_name}",
            received=f"{identifier!r}"[:200],
            fix="pass what serialize_keras_object returned",
        )
    config = identifier["config"]
    check_code_free(name, config)
    obj = _look_up(name, module_objects, custom_objects, printable_module_name, is_called=True)
    if isinstance(config, list):  # a Sequential model before Keras 2.2.3
        config = {"layers": config}
    config = {
        key: value if key == "name" else _deserialize_item(value, module_objects, custom_objects)
        for key, value in config.items()
    }
    with CustomObjectScope(custom_objects):
        if not hasattr(obj, "from_config"):  # a function that the program offers
            return obj(**config)
        takes = inspect.signature(obj.from_config).parameters
        options = {"custom_objects": custom_objects} if "custom_objects" in takes else {}
        return obj.from_config(config, **options)


def _deserialize_item(
    value: Any, module_objects: Mapping[str, Any] | None, custom_objects: Mapping[str, Any] | None
) -> Any:
    """Returns an argument in a config: an object of its own, a function, or the value itself."""
    if isinstance(value, Mapping) and _INNER in value:
        return deserialize_keras_object(value, module_objects, custom_objects, "config item")
    if isinstance(value, str):
        obj = get_registered_object(value, custom_objects, module_objects)
        return obj if inspect.isfunction(obj) else value
    return value


def _look_up(
    name: str,
    module_objects: Mapping[str, Any] | None,
    custom_objects: Mapping[str, Any] | None,
    what: str,
    is_called: bool = False,
) -> Any:
    """Returns the class or function of a name.

    Among `module_objects`, which can be everything in a module, only classes with `from_config` are
    called, so that a config cannot call any function that the module has imported.
    """
    obj = get_registered_object(name, custom_objects)
    if obj is not None:
        return obj
    obj = (module_objects or {}).get(name)
    if obj is None:
        names = {**(module_objects or {}), **(custom_objects or {})}
        near = find_similar(name, names, 1)
        raise UnknownObjectError(
            "deserialize_keras_object",
            expected=f"the name of a known {what}",
            received=repr(name[:200]),
            fix=(f"did you mean {near[0]!r}? Else " if near else "")
            + f"pass custom_objects={{{name[:200]!r}: ...}}",
        )
    if (is_called or isinstance(obj, type)) and not hasattr(obj, "from_config"):
        raise DTypeError(
            "deserialize_keras_object",
            expected="a class with from_config()",
            received=f"{name[:200]!r}, a {type(obj).__name__} without it",
            fix="pass it in custom_objects=, if the config may call it",
        )
    return obj
