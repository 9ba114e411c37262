"""The tables of classes and functions that a config or a file may name. Nothing else is looked up.

A name in a config resolves here, among what the running program registered itself, or in
`custom_objects`; the file's `module` is compared, never imported. Each role (a layer, a loss, an
optimizer …) has a table of its own, so that a config slot accepts its own role only.
"""

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from types import FunctionType, MappingProxyType, MethodType, TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

_PACKAGE = __name__.partition(".")[0]

_tables: dict[str, dict[str, Any]] = {}  # kind: {name: object}
_qualified_names: dict[int, tuple[str, str]] = {}  # id(object): (Keras module, name), for writing
_modules: dict[tuple[str, str], tuple[str, Any]] = {}  # (Keras module, name): (kind, object)
_builtins: set[Any] = set()  # classes and functions of this package, with their methods
_custom_objects: dict[str, Any] = {}  # registered by the program
_custom_names: dict[int, str] = {}  # id(object): registered name
_scoped: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default=MappingProxyType({}))


def register(kind: str, module: str, objects: Iterable[Any], **renamed: Any) -> None:
    """Enters built-in objects of one role; called once by each package of the frontend.

    Args:
        role: `"layer"`, `"loss"`, `"metric"`, `"optimizer"`, `"optimizer_map"`, `"initializer"`,
            `"regularizer"`, `"constraint"`, `"activation"`, `"dtype_policy"`, `"op"` or
            `"schedule"`.
        module: The module under which Keras writes these names into files.
        objects: Classes or functions, known by their `__name__`.
        **renamed: More names, each with its object.
    """
    table = _tables.setdefault(kind, {})
    for name, obj in [*((o.__name__, o) for o in objects), *renamed.items()]:
        table[name] = obj
        _modules[module, name] = (kind, obj)
        _qualified_names.setdefault(id(obj), (module, name))
        mark_builtin(obj)


def mark_builtin(obj: T) -> T:
    """Marks a class or function as part of this package, for `is_builtin`.

    `register` and `@op` call it; a class that no config names is decorated with it. A class takes
    its methods along, and its base classes with theirs. Definitions of other packages (a base class
    of PyTorch, an op of a program) stay unmarked.
    """
    for part in obj.__mro__ if isinstance(obj, type) else (obj,):
        if part in _builtins or part.__module__.partition(".")[0] != _PACKAGE:
            continue
        _builtins.add(part)
        if isinstance(part, type):
            methods = (getattr(value, "__func__", value) for value in vars(part).values())
            _builtins.update(method for method in methods if isinstance(method, FunctionType))
    return obj


def is_builtin(obj: Any) -> bool:
    """Returns whether a class or function is part of this package, or an object of such a class.

    What is built in is known: it has no side effects but those that its layer declares, and its
    constructor takes what its config holds. A subclass or an override in another package is not
    built in.

    Args:
        obj: A class, a function, a method, or an instance.

    Example:
        >>> from keras_fn.core.registry import is_builtin
        >>> is_builtin(keras.layers.Dense), is_builtin(keras.layers.Dense.call)
        (True, True)
        >>> class Custom(keras.layers.Dense): ...
        >>> is_builtin(Custom), is_builtin(Custom(2)), is_builtin(Custom.call)
        (False, False, True)
    """
    if isinstance(obj, MethodType):
        obj = obj.__func__
    return (obj if isinstance(obj, (type, FunctionType)) else type(obj)) in _builtins


def table(kind: str) -> MappingProxyType[str, Any]:
    """Returns the built-in names of a role, read-only."""
    return MappingProxyType(_tables.get(kind, {}))


def builtin_qualified_name(obj: Any) -> tuple[str, str] | None:
    """Returns the Keras module and name of a built-in object, or None for any other."""
    return _qualified_names.get(id(obj))


def lookup(
    name: str, kind: str | None = None, module: str | None = None, custom_objects: Any = None
) -> Any:
    """Returns what `name` stands for, or None.

    Args:
        name: A class or function name, or the `package>name` of a registered one.
        role: Where given, built-ins of this role only.
        module: The Keras module that the config names, where it names one.
        custom_objects: Names that go before all others.
    """
    for names in (custom_objects or {}, _scoped.get(), _custom_objects):
        if name in names:
            return names[name]
    found = _modules.get((module, name)) if module else None
    if found is not None and kind in (None, found[0]):
        return found[1]
    if kind is not None:
        return _tables.get(kind, {}).get(name)
    return None


def built_in(module: str, name: str) -> Any:
    """Returns the built-in object that Keras writes under that module and name, or None."""
    return _modules.get((module, name), (None, None))[1]


def kinds() -> list[str]:
    """Returns the roles that have a table."""
    return list(_tables)


def kind_of(obj: Any) -> str | None:
    """Returns the role of a built-in object."""
    key = _qualified_names.get(id(obj))
    return _modules[key][0] if key else None


class CustomObjectScope:
    """Lets configs name more classes and functions inside a `with` block.

    Args:
        custom_objects: Names and what they stand for.

    Example:
        >>> class Twice: ...
        >>> with CustomObjectScope({"Twice": Twice}):
        ...     lookup("Twice") is Twice
        True
    """

    def __init__(self, custom_objects: dict[str, Any] | None):
        self.custom_objects = custom_objects or {}

    def __enter__(self) -> "CustomObjectScope":
        self._token = _scoped.set({**_scoped.get(), **self.custom_objects})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _scoped.reset(self._token)


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """Returns the names that the program registered: a live dictionary.

    Example:
        >>> get_custom_objects() is get_custom_objects()
        True
    """
    return _custom_objects


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Registers the decorated class or function, so that configs and files may name it.

    Args:
        package: Goes before the name, as in `package>name`.
        name: The name; by default that of the object.

    Raises:
        ValueError: A class without `get_config`, or a name that is taken by another object.

    Example:
        >>> @register_keras_serializable("docs")
        ... def halve(x):
        ...     return x / 2
        >>> get_registered_name(halve)
        'docs>halve'
    """

    def decorate(obj: T) -> T:
        key = f"{package}>{name or obj.__name__}"  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ValueError(f"Cannot register {key!r}: the class has no get_config() method.")
        if _custom_objects.get(key, obj) is not obj and not _redefined(_custom_objects[key], obj):
            raise ValueError(f"{key!r} is registered already, for {_custom_objects[key]}.")
        _custom_objects[key] = obj
        _custom_names[id(obj)] = key
        return obj

    return decorate


def _redefined(old: Any, new: Any) -> bool:
    """Whether `new` is the same definition run again, as in a notebook."""
    return (old.__module__, old.__qualname__) == (new.__module__, new.__qualname__)


def get_registered_name(obj: Any) -> str:
    """Returns the name under which `obj` is registered; else its own.

    Example:
        >>> get_registered_name(len)
        'len'
    """
    return _custom_names.get(id(obj)) or obj.__name__


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: Any = None
) -> Any:
    """Returns the object registered under `name`, or None.

    Args:
        name: As `get_registered_name` gives it.
        custom_objects: Names that go first.
        module_objects: Names that go last.

    Example:
        >>> get_registered_object("nobody") is None
        True
    """
    found = lookup(name, custom_objects=custom_objects)
    return found if found is not None else (module_objects or {}).get(name)
