"""The registry of classes and functions that a config or a file can name.

A name in a config is looked up here, among the objects that the running program registered, and in
`custom_objects`, and nowhere else; the `module` in a file is compared, never imported. Each kind of
object (layer, loss, optimizer, ...) has its own table, so that a layer's config cannot name an
optimizer, for example.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from types import FunctionType, MappingProxyType, MethodType, TracebackType
from typing import Any, NamedTuple, TypeVar

from keras_fn._lazy import LazyModule
from keras_fn.errors import SpecError

T = TypeVar("T")

_PACKAGE = __name__.partition(".")[0]


class _Unloaded(NamedTuple):
    """A class of `register_lazily` that was not defined yet."""

    name: str
    load: Callable[[str], Any]


_tables: dict[str, dict[str, Any]] = {}  # kind: {name: object, or an _Unloaded}
# (module, name in it): kinds, Keras modules and names of the classes that are registered lazily
_lazy: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
_qualified_names: dict[int, tuple[str, str]] = {}  # id(object): (Keras module, name), for writing
_modules: dict[tuple[str, str], tuple[str, Any]] = {}  # (Keras module, name): (kind, object)
_builtins: set[Any] = set()  # classes and functions of this package, with their methods
_custom_objects: dict[str, Any] = {}  # registered by the program
_custom_names: dict[int, str] = {}  # id(object): registered name
_scoped: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default=MappingProxyType({}))


def register(kind: str, module: str, objects: Iterable[Any], **renamed: Any) -> None:
    """Registers built-in objects of one kind; called once by each package of the frontend.

    Args:
        kind: `"layer"`, `"loss"`, `"metric"`, `"optimizer"`, `"optimizer_map"`, `"initializer"`,
            `"regularizer"`, `"constraint"`, `"activation"`, `"dtype_policy"`, `"op"` or
            `"schedule"`.
        module: The module that Keras writes into files for these objects.
        objects: Classes or functions, registered by their `__name__`.
        **renamed: Objects to register by other names.
    """
    table = _tables.setdefault(kind, {})
    for name, obj in [*((o.__name__, o) for o in objects), *renamed.items()]:
        table[name] = obj
        _modules[module, name] = (kind, obj)
        _qualified_names.setdefault(id(obj), (module, name))
        mark_builtin(obj)


def register_lazily(
    kind: str,
    module: str,
    names: Mapping[str, tuple[str, str]],
    load: Callable[[str], Any],
) -> None:
    """Registers built-in classes that are defined when they are first used, or named by a config.

    A base class of theirs calls `adopt` for each class that is defined.

    Args:
        kind: The kind, as in `register`.
        module: The module that Keras writes into files for these classes.
        names: For each name, the module that defines the class, and its name there.
        load: Returns the class of one of the names.
    """
    table = _tables.setdefault(kind, {})
    for name, origin in names.items():
        unloaded = _Unloaded(name, load)
        _lazy.setdefault(origin, []).append((kind, module, name))
        table.setdefault(name, unloaded)
        _modules.setdefault((module, name), (kind, unloaded))


def register_rare(kind: str, classes: Mapping[str, tuple[str, str]]) -> None:
    """Registers classes that few programs import, and a file can name.

    Args:
        kind: The kind, as in `register`.
        classes: For each name, the module that defines the class, and Keras's module in files.
    """

    def load(name: str) -> Any:
        return getattr(LazyModule(classes[name][0]), name)

    for name, (origin, module) in classes.items():
        register_lazily(kind, module, {name: (origin, name)}, load)


def adopt(cls: type) -> bool:
    """Registers a class, if it is one of `register_lazily`; called when it is defined.

    Args:
        cls: Any class.

    Returns:
        Whether it is one of them.
    """
    entries = _lazy.get((cls.__module__, cls.__name__), ())
    for kind, module, name in sorted(entries, key=lambda entry: entry[2] != cls.__name__):
        register(kind, module, (), **{name: cls})
    return bool(entries)


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


def is_builtin(obj: object) -> bool:
    """Returns whether a class or function is part of this package, or an object of such a class.

    The side effects and the config of built-in objects are known. A subclass or an override in
    another package is not built in.

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


class _Table(Mapping[str, Any]):
    """The built-in objects of a kind, by name; read-only."""

    def __init__(self, objects: Mapping[str, Any]):
        self._objects = objects

    def __getitem__(self, name: str) -> Any:
        return _load(self._objects[name])

    def __contains__(self, name: object) -> bool:
        return name in self._objects

    def __iter__(self) -> Iterator[str]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)


def _load(obj: Any) -> Any:
    return obj.load(obj.name) if type(obj) is _Unloaded else obj


def table(kind: str) -> Mapping[str, Any]:
    """Returns the built-in objects of a kind, by name; read-only."""
    return _Table(_tables.get(kind, {}))


def is_of_kind(obj: object, kind: str) -> bool:
    """Returns whether an object is one of the built-in objects of a kind."""
    return any(obj is known for known in _tables.get(kind, {}).values())


def builtin_qualified_name(obj: object) -> tuple[str, str] | None:
    """Returns the Keras module and name of a built-in object, None for other objects."""
    return _qualified_names.get(id(obj))


def lookup(
    name: str,
    kind: str | None = None,
    module: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Returns the object of a name, or None.

    Args:
        name: The name of a class or function, or the `package>name` of a registered one.
        kind: If set, only built-in objects of this kind are found.
        module: The Keras module in the config, if it has one.
        custom_objects: Objects by name, which take precedence.
    """
    for names in (custom_objects or {}, _scoped.get(), _custom_objects):
        if name in names:
            return names[name]
    registered = _modules.get((module, name)) if module else None
    if registered is not None and kind in (None, registered[0]):
        return _load(registered[1])
    if kind is not None:
        return _load(_tables.get(kind, {}).get(name))
    return None


def lookup_bare_name(name: str) -> Any:
    """Returns the registered object whose name without its package is `name`, or None.

    Keras 3.6 and older wrote functions so. None, too, if several packages have that name.

    Args:
        name: The name of a class or function.
    """
    names = {**_custom_objects, **(_scoped.get() or {})}
    found = [obj for key, obj in names.items() if key.rpartition(">")[2] == name]
    return found[0] if len(found) == 1 else None


def built_in(module: str, name: str) -> Any:
    """Returns the built-in object of a Keras module and name, or None."""
    return _load(_modules.get((module, name), (None, None))[1])


def kinds() -> list[str]:
    """Returns the kinds of built-in objects."""
    return list(_tables)


def kind_of(obj: object) -> str | None:
    """Returns the kind of a built-in object, None for other objects."""
    key = _qualified_names.get(id(obj))
    return _modules[key][0] if key else None


class CustomObjectScope:
    """Context manager that registers custom objects for deserialization inside it.

    Args:
        custom_objects: Custom classes and functions, by the names that configs use.

    Example:
        >>> class Twice: ...
        >>> with CustomObjectScope({"Twice": Twice}):
        ...     lookup("Twice") is Twice
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None):
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
    """Returns the registered custom objects, by name: the registry itself, which can be changed.

    Example:
        >>> get_custom_objects() is get_custom_objects()
        True
    """
    return _custom_objects


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Decorator that registers a custom class or function for serialization.

    Args:
        package: The prefix of the registered name, `package>name`. Default `"Custom"`.
        name: The name in `package>name`. By default the name of the class or function.

    Returns:
        The decorator, which returns the class or function itself.

    Raises:
        ValueError: The class does not define `get_config`, or another object has the name.

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
            raise SpecError(
                f"register_keras_serializable, {key!r}",
                expected="a class with a method get_config()",
                received=f"{obj.__name__}, which does not define it",
                fix="define get_config(), which returns the arguments of the constructor",
            )
        registered = _custom_objects.get(key, obj)
        if registered is not obj and not _is_redefinition(registered, obj):
            raise SpecError(
                f"register_keras_serializable, {key!r}",
                expected="a name that is not registered",
                received=f"a name that is registered for {registered}",
                fix="pass another package= or name=",
            )
        _custom_objects[key] = obj
        _custom_names[id(obj)] = key
        return obj

    return decorate


def _is_redefinition(old: Any, new: Any) -> bool:
    """Returns whether `new` is the same definition, executed again, as in a notebook."""
    return (old.__module__, old.__qualname__) == (new.__module__, new.__qualname__)


def get_registered_name(obj: Any) -> str:
    """Returns the registered name of a class or function, or its own name if it has none.

    Args:
        obj: A class or function.

    Example:
        >>> get_registered_name(len)
        'len'
    """
    name = _custom_names.get(id(obj))
    if name is None and isinstance(obj, type) and _is_redefinition(obj.__base__, obj):
        return get_registered_name(obj.__base__)  # the Functional variant of a subclass of Model
    return name or obj.__name__


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Returns the class or function of a registered name, or None.

    Args:
        name: The name, as `get_registered_name` returns it.
        custom_objects: Custom classes and functions by name, which take precedence.
        module_objects: Classes and functions by name, for names that are not found otherwise.

    Returns:
        The registered class or function; None if the name is unknown.

    Example:
        >>> get_registered_object("Custom>unknown") is None
        True
    """
    obj = lookup(name, custom_objects=custom_objects)
    return obj if obj is not None else (module_objects or {}).get(name)
