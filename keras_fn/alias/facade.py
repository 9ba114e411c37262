"""`keras.src` where keras_fn is named keras: Keras's private paths, as far as libraries need them.

Libraries reach into `keras.src`. A public name is found there by its last part, whatever the path:
`keras.src.layers.core.dense.Dense` is `keras.layers.Dense`. `facade_table.py` lists the private
helpers that there are. Any other name can be imported, and is an error when it is used.
"""

import importlib
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, NoReturn

from keras_fn.alias.facade_table import (
    HELPERS,
    MODULES,
    NAMESPACES,
    SIMILAR_NAMESPACES,
)
from keras_fn.alias.finder import PACKAGE, AliasError

_SPECIAL = {"__version__": "version:KERAS_VERSION"}


class FacadeModule(ModuleType):
    """A module of `keras.src`, whose names are looked up when they are used."""

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of its name after `keras.src`, or after `keras`."""
        parts = self.__name__.split(".")
        inner = parts[parts.index("keras") + 1 :]
        return tuple(inner[1:] if inner[:1] == ["src"] else inner)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self._list_names()
        if name.startswith("__") and name not in _SPECIAL:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name)
        try:
            value = _look_up(self.path, name)
        except LookupError:
            # A module, or a name that is not there: which of them shows when it is used.
            value = importlib.import_module(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return self._list_names()

    def _list_names(self) -> list[str]:
        if not self.path:
            return sorted(namespace for namespace in NAMESPACES if "." not in namespace)
        return sorted(_public_names(next(_prefixes(self.path), "")))


class UnknownName(FacadeModule):
    """A name of `keras.src` that may be a module; used as anything else, it is an error."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise self._error()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        raise self._error()

    def __instancecheck__(self, instance: object) -> NoReturn:
        raise self._error()

    def __subclasscheck__(self, subclass: type) -> NoReturn:
        raise self._error()

    def __iter__(self) -> NoReturn:
        raise self._error()

    def _error(self) -> AliasError:
        return AliasError(
            self.__name__,
            expected="a public name of Keras, or one of the private helpers that "
            "docs/unedited_programs.md lists",
            received="a name that keras_fn does not have",
            fix="use the public name that does the same, or keep real Keras for this program",
        )


def create_module(fullname: str) -> ModuleType:
    """Returns the module for a name in `keras.src`, or for a name that keras_fn lacks."""
    if fullname == "keras._tf_keras":  # it has one submodule, and that is `keras`
        return ModuleType(fullname)
    module = FacadeModule(fullname)
    # Namespaces cannot be called: pytest would take `testing` for a test.
    is_namespace = len(module.path) <= 1 or module.path[0] == "testing"
    return module if is_namespace else UnknownName(fullname)


def _look_up(path: tuple[str, ...], name: str) -> Any:
    """Returns what a name stands for in a module of `keras.src`.

    Raises:
        LookupError: It is neither a helper nor public.
    """
    if _is_module(path, name):
        raise LookupError(name)
    target = (HELPERS | _SPECIAL).get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(importlib.import_module(f"{PACKAGE}.{module}"), attribute)
    for namespace in _search_order(path, name):
        if name in _public_names(namespace):
            value = getattr(_import(namespace), name)
            if not isinstance(value, ModuleType):
                return value
    raise LookupError(name)


def _is_module(path: tuple[str, ...], name: str) -> bool:
    """Returns whether a name is known to be a module, also where something public has it."""
    return ".".join((*path, name)) in (*NAMESPACES, *MODULES)


def _search_order(path: tuple[str, ...], name: str) -> Iterator[str]:
    """Yields the public namespaces in which a name may be, those of the path first."""
    yield from _prefixes(path)
    yield from (part for part in reversed(path) if part in NAMESPACES)
    yield from (SIMILAR_NAMESPACES[part] for part in path if part in SIMILAR_NAMESPACES)
    if name not in NAMESPACES:  # `keras.src.losses.losses` is a module of the facade, too
        yield ""
    yield from NAMESPACES


def _prefixes(path: tuple[str, ...]) -> Iterator[str]:
    """Yields the public namespaces that a path begins with, the longest first."""
    for end in range(len(path), 0, -1):
        if ".".join(path[:end]) in NAMESPACES:
            yield ".".join(path[:end])


@cache
def _public_names(namespace: str) -> frozenset[str]:
    """Returns the public names of a namespace, without its modules; none if it is not there."""
    try:
        module = _import(namespace)
    except ModuleNotFoundError:
        return frozenset()
    return frozenset(name for name in dir(module) if not name.startswith("_"))


def _import(namespace: str) -> ModuleType:
    name = ".".join(filter(None, (PACKAGE, namespace)))
    return sys.modules.get(name) or importlib.import_module(name)
