"""Serialization of objects to configs, in Keras's JSON form, and deserialization.

Every entry point that reads a config (`from_config`, `deserialize`, loading a file) calls
`deserialize_as` or `deserialize_keras_object`, so this module decides what a config can do: create
objects of built-in classes, and of those that the running program registered or passed. The
`module` in a config is compared with the registry, never imported; nothing is evaluated.
"""

import types
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes, registry
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.object_sharing import current_sharing_scope
from keras_fn.core.tracebacks import user_stacklevel
from keras_fn.core.tuple_paths import find_tuples, restore_tuples
from keras_fn.errors import DTypeError, SpecError, find_similar, unexpected_arguments
from keras_fn.types import Nested

Kinds = str | tuple[str, ...] | None
"""The kinds of objects that are accepted; None for any kind."""

_PLAIN = (str, int, float, bool, type(None))

# The kinds of functions, in the order in which a function without a module is looked up.
_FUNCTION_KINDS = (
    "activation",
    "loss",
    "metric",
    "initializer",
    "regularizer",
    "constraint",
    "op",
)

# Forms of configs that hold code, or would run code when they are read.
FORBIDDEN_CODE_FORMS = {
    "__lambda__": "a lambda",
    "__typespec__": "a type of TensorFlow",
    "TorchModuleWrapper": "a pickled PyTorch module",
    "TFSMLayer": "a program of TensorFlow",
    "JaxLayer": "a function of JAX",
    "FlaxLayer": "a module of Flax",
}
_CODE_ARGUMENTS = {"TorchModuleWrapper": "module", "JaxLayer": "call_fn", "FlaxLayer": "module"}
"""The arguments of these layers that are code, unless they name what the program registered."""


class UnknownObjectError(SpecError, TypeError):
    """A config names a class or function that is not registered."""


def serialize_keras_object(obj: object) -> Any:
    """Serializes an object to a config of plain values, for `deserialize_keras_object`.

    Args:
        obj: Plain values, arrays and tensors, functions, and objects with `get_config`; nested in
            lists, tuples and dicts.

    Returns:
        The config. It can be written as JSON.

    Raises:
        ValueError: The object contains a lambda, which has no name.
        TypeError: The object contains something that does not define `get_config`.

    Example:
        >>> serialize_keras_object(keras.initializers.Ones())["class_name"]
        'Ones'
    """
    return _serialize(obj, ())


def _serialize(obj: object, above: tuple[int, ...]) -> Any:
    """Serializes an object inside lists, tuples and dicts of these identities."""
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, (list, tuple, dict)):
        if id(obj) in above:
            raise _endless_error(f"a {type(obj).__name__} that holds itself")
        inner = (*above, id(obj))
        if isinstance(obj, dict):
            return {key: _serialize(value, inner) for key, value in obj.items()}
        items = [_serialize(x, inner) for x in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    for kinds, write in _WRITERS:
        if isinstance(obj, kinds):
            return write(obj)
    if current().is_tensor(obj):
        return _array(current().convert_to_numpy(obj), "__tensor__")
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _object(obj)
    if callable(obj) and hasattr(obj, "__name__") and not isinstance(obj, type):
        return _function(obj)
    raise DTypeError(
        "serialize_keras_object",
        expected="plain values, arrays, named functions, or objects with get_config()",
        received=f"{obj!r} of type {type(obj).__name__}",
        fix="give its class a get_config() that returns the arguments of its constructor",
    )


def _endless_error(received: str) -> SpecError:
    return SpecError(
        "serialize_keras_object",
        expected="values that a file can hold, nested to a finite depth",
        received=received,
        fix="keep the object itself out of it, and out of what get_config() returns",
    )


def _special(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


def _slice(obj: slice) -> dict[str, Any]:
    start, stop, step = map(serialize_keras_object, (obj.start, obj.stop, obj.step))
    return _special("__slice__", start=start, stop=stop, step=step)


def _keras_tensor(obj: KerasTensor) -> dict[str, Any]:
    history = getattr(obj, "_keras_history", None)
    origin = [history.operation.name, *history[1:]] if history else None
    return _special("__keras_tensor__", shape=obj.shape, dtype=obj.dtype, keras_history=origin)


def _array(obj: np.ndarray, name: str = "__numpy__") -> Any:
    if obj.ndim == 0 and name == "__numpy__":
        return obj.item()
    return _special(name, value=obj.tolist(), dtype=dtypes.standardize_dtype(obj.dtype))


_WRITERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (bytes, lambda obj: _special("__bytes__", value=obj.decode("utf-8"))),
    (slice, _slice),
    (types.EllipsisType, lambda obj: _special("__ellipsis__")),
    (KerasTensor, _keras_tensor),
    (np.ndarray, _array),
    (np.generic, lambda obj: obj.item()),
    (np.dtype, dtypes.standardize_dtype),
)


def _function(function: Any) -> dict[str, Any]:
    if function.__name__ == "<lambda>":
        raise SpecError(
            "serialize_keras_object",
            expected="functions with a name",
            received="a lambda",
            fix="write it as a function with def, and decorate it with "
            "@keras.saving.register_keras_serializable()",
        )
    builtin = registry.builtin_qualified_name(function)
    name = builtin[1] if builtin else registry.get_registered_name(function)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def _object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    try:
        config = obj.get_config()
        plain = serialize_keras_object(config)
    except RecursionError:
        name = f"{cls.__name__} {getattr(obj, 'name', '')!r}"
        raise _endless_error(f"{name}, whose config holds itself or is nested too deeply") from None
    if not isinstance(config, dict):
        raise DTypeError(
            f"serialize_keras_object, {cls.__name__}",
            expected="a dict from get_config()",
            received=repr(config)[:300],
            fix="return the arguments of the constructor, by name",
        )
    builtin = registry.builtin_qualified_name(cls)
    module = None if cls.__module__ == "__main__" else cls.__module__
    # Keras registers classes that are not public; "Functional" says that Keras wrote the config.
    is_public = builtin and (builtin[1] == "Functional" or not builtin[0].startswith("keras.src."))
    written = {
        "module": builtin[0] if builtin else module,
        "class_name": builtin[1] if builtin else cls.__name__,
        "config": plain,
        "registered_name": None if is_public else registry.get_registered_name(cls),
    }
    if tuples := find_tuples(plain):
        written["tuples"] = tuples
    build_config = getattr(obj, "get_build_config", lambda: None)()
    if build_config is not None:
        written["build_config"] = serialize_keras_object(build_config)
    compile_config = _compile_config(obj)
    if compile_config is not None:
        written["compile_config"] = compile_config
    scope = current_sharing_scope()
    if scope is not None:
        scope.assign_shared_id(obj, written)
    return written


def _compile_config(obj: Any) -> Any:
    """Returns the arguments of `compile`; None, with a warning, if they cannot be written.

    A model can be compiled again, but its weights may be the result of a long training.
    """
    get_compile_config = getattr(obj, "get_compile_config", None)
    if get_compile_config is None:
        return None
    try:
        return serialize_keras_object(get_compile_config())
    except Exception as error:  # whatever the methods of custom objects raise
        warn_about_compile_config(obj, error)
        return None


def warn_about_compile_config(obj: Any, error: Exception) -> None:
    """Warns that a model is saved without the arguments of `compile`.

    Args:
        obj: The model.
        error: Why they cannot be written.
    """
    reason = " ".join(str(error).split())[:600] or type(error).__name__
    warnings.warn(
        f"{type(obj).__name__} {getattr(obj, 'name', '')!r} is saved without the arguments of "
        f"compile(), which cannot be written: {reason}. Compile the model again after loading it.",
        stacklevel=user_stacklevel(),
    )


def deserialize_keras_object(
    config: Nested,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Deserializes a config: returns the object that it describes.

    Args:
        config: The result of `serialize_keras_object`, also after it was written to and read from
            JSON.
        custom_objects: Custom classes and functions, by the names that the config uses.
        safe_mode: Has no effect; accepted for compatibility. Code in a config is never run.
        **kwargs: `kind`, the accepted kinds of the object (`"layer"`, `"loss"`, ..., or a tuple),
            and `module_objects`, objects by name that are looked up last.
            `printable_module_name`, of Keras 2, is accepted.

    Returns:
        The object.

    Raises:
        ValueError: The config holds code, is malformed, or describes an object of another kind.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> config = serialize_keras_object(keras.initializers.Constant(2.0))
        >>> deserialize_keras_object(config).value
        2.0
    """
    kind = kwargs.pop("kind", None)
    module_objects = kwargs.pop("module_objects", None)
    kwargs.pop("printable_module_name", None)  # errors name the kind
    if kwargs:
        raise unexpected_arguments("deserialize_keras_object", kwargs)
    del safe_mode  # there is no unsafe mode
    with registry.CustomObjectScope(custom_objects):
        return _read(config, kind, module_objects or {})


def deserialize_as(
    kind: Kinds, config: Nested, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Returns the object of a kind that a config or a name describes.

    Args:
        kind: The accepted kinds of the object.
        config: A config or a name.
        custom_objects: Custom classes and functions, by name.

    Raises:
        ValueError: It is of another kind, or malformed.
        TypeError: The name is unknown.
    """
    return deserialize_keras_object(config, custom_objects, kind=kind)


def get_object(kind: str, identifier: object, aliases: Iterable[str] = ()) -> Any:
    """Returns the object of a kind for an identifier, None for None.

    Args:
        kind: The kind of the object, such as `"loss"`.
        identifier: A name, a config, a class, or an object, which is returned as it is.
        aliases: Further names, for the error about an unknown one.

    Raises:
        ValueError: The identifier is not one of these, or of another kind.
    """
    if identifier is None:
        return None
    found = registry.lookup(identifier, kind) if isinstance(identifier, str) else None
    obj: Any = identifier
    if isinstance(found, type):
        obj = _create(found, {})
    elif found is not None and registry.kind_of(found) == kind:
        obj = found
    else:
        check_identifier(kind, identifier, aliases)
        if isinstance(identifier, (str, dict)):
            obj = _read(identifier, kind, {})
    if isinstance(obj, type):
        obj = obj()
    if not callable(obj):
        raise _identifier_error(kind, identifier)
    return obj


def check_identifier(kind: str, identifier: object, aliases: Iterable[str] = ()) -> None:
    """Raises the error of `get_object` for what is none, without making an object.

    Args:
        kind: The kind of the object, such as `"loss"`.
        identifier: A name, a config, a class, or an object.
        aliases: Further names.

    Raises:
        ValueError: The identifier is not one of these.
    """
    if isinstance(identifier, str):
        table = _tables(kind)
        if identifier in table or identifier in aliases or registry.lookup(identifier) is not None:
            return
        names = {*table, *aliases}
        error = _unknown_object_error(identifier, kind, None, names)
        words = sorted(name for name in names if name.islower()) or sorted(names)
        article = "an" if kind[0] in "aeiou" else "a"
        error.source = f"{_plural(kind)}.get"
        error.expected = f"{article} {kind}: {', '.join(words)}"
        raise error
    if not callable(identifier) and not isinstance(identifier, dict):
        raise _identifier_error(kind, identifier)


def _plural(kind: str) -> str:
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def _identifier_error(kind: str, identifier: object) -> SpecError:
    return SpecError(
        f"{_plural(kind)}.get",
        expected=f"a name, a config, or a callable object, for a {kind}",
        received=f"{identifier!r} of type {type(identifier).__name__}",
        fix=f"pass one of {', '.join(sorted(registry.table(kind)))}",
    )


def _read(config: Any, kind: Kinds, module_objects: dict[str, Any]) -> Any:
    if isinstance(config, str):
        obj = registry.lookup(config)
        if kind is None and (obj is not None or config not in module_objects):
            return config if obj is None else obj
        obj = _lookup_name(config, kind, module_objects) if obj is None else obj
        return _create(obj, {}) if isinstance(obj, type) else _check_kind(obj, kind, config)
    if isinstance(config, _PLAIN):
        return config
    if isinstance(config, (list, tuple)):
        return [_read(x, kind, module_objects) for x in config]
    if not isinstance(config, dict):
        return _check_kind(config, kind, repr(config))  # an object already
    class_name = config.get("class_name")
    if class_name == "__tuple__" and "items" in config:  # as Keras 2 wrote it
        return tuple(_read(x, kind, module_objects) for x in config["items"])
    if class_name is None or "config" not in config:
        return {key: _read(value, kind, module_objects) for key, value in config.items()}
    if not isinstance(class_name, str):
        raise _malformed("class_name to be a string", repr(class_name))
    inner = {} if config["config"] is None else config["config"]
    check_code_free(class_name, inner)
    if class_name in _READERS:
        return _special_value(class_name, inner)
    if class_name == "function":
        return _read_function(config, inner, kind, module_objects)
    return _read_object(config, class_name, inner, kind, module_objects)


def check_code_free(class_name: object, config: object) -> None:
    """Raises an error if a serialized object holds code.

    Args:
        class_name: The `class_name` of the object.
        config: Its `config`.

    Raises:
        ValueError: The object holds code, or code would run if it were created.
    """
    form = class_name if isinstance(class_name, str) else ""
    if form == "Lambda" and isinstance(config, dict):  # as Keras 2 wrote the code of a function
        is_code = isinstance(config.get("function"), list)
        form = "__lambda__" if is_code or config.get("function_type") == "lambda" else form
    argument = _CODE_ARGUMENTS.get(form)
    if argument and isinstance(config, dict) and isinstance(config.get(argument), dict):
        return  # the config of an object, which is looked up like any other
    if form not in FORBIDDEN_CODE_FORMS:
        return
    name = config.get("name") if isinstance(config, dict) else None
    label = f"{class_name} {str(name)[:80]!r}" if name else class_name
    raise SpecError(
        f"deserialize_keras_object: the config holds code ({label}), which is never run",
        expected="a config that names classes and functions",
        received=f"{FORBIDDEN_CODE_FORMS[form]}, which would run code from the config",
        fix="define a function or class with a name, and pass it: "
        "custom_objects={'its_name': its_function}. No setting changes this, safe_mode included",
    )


def _special_value(class_name: str, inner: Any) -> Any:
    try:
        return _READERS[class_name](inner)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
        raise _malformed(f"a well-formed config for {class_name}", str(error)[:300]) from error


def _read_array(inner: dict[str, Any]) -> np.ndarray:
    dtype = dtypes.standardize_dtype(str(inner["dtype"]))
    value = np.asarray(inner["value"])
    if dtype == "string" or (value.dtype.kind not in "biuf" and value.size):
        raise ValueError(f"an array of numbers was expected, of a numeric dtype, not {dtype}")
    return value.astype(dtypes.numpy_dtype(dtype))


def _read_slice(inner: dict[str, Any]) -> slice:
    return slice(*(_read(inner[key], None, {}) for key in ("start", "stop", "step")))


def _read_keras_tensor(inner: dict[str, Any]) -> KerasTensor:
    tensor: Any = KerasTensor(inner["shape"], inner["dtype"])
    tensor._pre_serialization_keras_history = inner["keras_history"]
    return tensor


def _read_tensor(inner: dict[str, Any]) -> Any:
    return current().convert_to_tensor(_read_array(inner))


_READERS: dict[str, Callable[[Any], Any]] = {
    "__bytes__": lambda inner: inner["value"].encode("utf-8"),
    "__ellipsis__": lambda inner: Ellipsis,
    "__keras_tensor__": _read_keras_tensor,
    "__numpy__": _read_array,
    "__slice__": _read_slice,
    "__tensor__": _read_tensor,
}


def _read_function(config: dict, name: Any, kind: Kinds, module_objects: dict[str, Any]) -> Any:
    if not isinstance(name, str):
        raise _malformed("the config of a function to be its name", repr(name)[:100])
    function = registry.lookup(name)
    module = config.get("module")
    if function is None and _is_keras(module):
        function = registry.built_in(str(module), name)
    elif function is None and module in ("builtins", None):
        return _lookup_name(name, kind or _FUNCTION_KINDS, module_objects)
    if function is None:
        raise _unknown_object_error(name, kind or _FUNCTION_KINDS, module)
    return _check_kind(function, kind, name)


def _read_object(
    config: dict, class_name: str, inner: Any, kind: Kinds, module_objects: dict[str, Any]
) -> Any:
    for key, part in (("config", inner), ("build_config", config.get("build_config") or {})):
        if not isinstance(part, dict):
            raise _malformed(f"the {key} of {class_name} to be a dict", repr(part)[:100])
    scope, shared_id = current_sharing_scope(), config.get("shared_object_id")
    shared_id = shared_id if isinstance(shared_id, (int, str)) else None
    read = scope.read if scope is not None and shared_id is not None else {}
    if shared_id in read:
        return _check_kind(read[shared_id], kind, class_name)
    cls = _find_class(config, class_name, kind, module_objects)
    if not isinstance(cls, type):
        return cls  # a function in the form of a class, as Keras 2 wrote it
    tuples = config.get("tuples")
    obj = _create(cls, restore_tuples(inner, tuples) if isinstance(tuples, list) else inner)
    if config.get("build_config") and not getattr(obj, "built", False):
        obj.build_from_config(config["build_config"])
        obj.built = True
    if config.get("compile_config"):
        obj.compile_from_config(config["compile_config"])
    read[shared_id] = obj
    return obj


def _find_class(config: dict, class_name: str, kind: Kinds, module_objects: dict[str, Any]) -> Any:
    """Looks up the class of a config: built-in by module and name, else by its registered name."""
    module, registered = config.get("module"), config.get("registered_name")
    obj = registry.lookup(registered) if isinstance(registered, str) else None
    if obj is None and _is_keras(module):
        is_builtin = registered in (None, "", class_name)
        obj = registry.built_in(str(module), class_name) if is_builtin else None
    elif obj is None:
        obj = registry.lookup(class_name)
    if obj is None and module is None and not registered:  # only a name, as Keras 2 wrote it
        return _lookup_name(class_name, kind, module_objects)
    if obj is None:
        raise _unknown_object_error(registered or class_name, kind, module)
    return _check_kind(obj, kind, class_name)


def _is_keras(module: Any) -> bool:
    return isinstance(module, str) and (module == "keras" or module.startswith("keras."))


def _create(cls: type, config: dict[str, Any]) -> Any:
    if not hasattr(cls, "from_config"):
        raise DTypeError(
            f"deserialize_keras_object, {cls.__name__}",
            expected="a class with from_config()",
            received=f"{cls.__name__}, which does not define it",
            fix="add @classmethod from_config(cls, config) that returns cls(**config)",
        )
    try:
        return cls.from_config(config)
    except SpecError:
        raise
    except TypeError as error:
        raise DTypeError(
            f"deserialize_keras_object, {cls.__name__}",
            expected=f"a config that {cls.__name__}.from_config() takes",
            received=f"keys {', '.join(map(str, config))}: {error}"[:600],
            fix="let get_config() return the arguments of the constructor, and let "
            "from_config() deserialize those that are objects",
        ) from error


def _tables(kinds: Kinds) -> Mapping[str, Any]:
    """Returns the built-in objects of some kinds by name; of equal names, the first kind's."""
    if isinstance(kinds, str):
        return registry.table(kinds)
    names: dict[str, Any] = {}
    for kind in reversed(kinds or ()):
        names.update(registry.table(kind))
    return names


def _lookup_name(name: str, kind: Kinds, module_objects: dict[str, Any]) -> Any:
    """Returns the function or class of a name without a module."""
    obj = _tables(kind).get(name) or module_objects.get(name) or registry.lookup_bare_name(name)
    if obj is None:
        raise _unknown_object_error(name, kind, None)
    return obj


def _check_kind(obj: Any, kind: Kinds, name: str) -> Any:
    """Returns `obj`, unless it is known to be of another kind."""
    if kind is None:
        return obj
    kinds = (kind,) if isinstance(kind, str) else kind
    classes = (obj if isinstance(obj, type) else type(obj)).__mro__
    known = {r for c in (obj, *classes) if (r := registry.kind_of(c)) is not None}
    in_tables = any(registry.is_of_kind(obj, r) for r in kinds)
    if known.isdisjoint(kinds) and known and not in_tables:
        raise SpecError(
            "deserialize_keras_object",
            expected=f"an object of kind {' or '.join(kinds)}",
            received=f"{name}, which is of kind {', '.join(sorted(known))}",
            fix="pass each object as the argument for its kind",
        )
    return obj


def _unknown_object_error(
    name: str, kind: Kinds, module: str | None, more_names: Iterable[str] = ()
) -> UnknownObjectError:
    kinds: Sequence[str] = (kind,) if isinstance(kind, str) else kind or tuple(registry.kinds())
    names = {*_tables(tuple(kinds)), *more_names, *registry.get_custom_objects()}
    near = find_similar(name, names)
    origin = f" of module {module[:200]!r}" if isinstance(module, str) else ""
    hint = f"did you mean {' or '.join(near)}? Else " if near else ""
    return UnknownObjectError(
        "deserialize_keras_object",
        expected=f"a known {' or '.join(kinds) if kind else 'class or function'}",
        received=f"{name[:200]!r}{origin}",
        fix=f"{hint}pass a custom class or function as custom_objects={{{name[:200]!r}: ...}}, or "
        "decorate it with @keras.saving.register_keras_serializable() and import it first",
    )


def _malformed(expected: str, received: str) -> SpecError:
    return SpecError(
        "deserialize_keras_object",
        expected=expected,
        received=received,
        fix="pass what serialize_keras_object returned, unchanged",
    )
