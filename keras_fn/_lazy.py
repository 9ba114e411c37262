"""Public faces whose names are imported when they are first used (PEP 562).

`import keras_fn` must load no framework, and a Layer cannot be defined without its backend: so a
face lists where its names live, and the first use of one imports it.
"""

import gc
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class LazyModule:
    """A module that is imported when something of it is first used: it takes long to import.

    Args:
        name: The module.
        pip: What to install where it is not there, if it is optional.

    Raises:
        ImportError: It is optional and not installed; raised when something of it is used.
    """

    def __init__(self, name: str, pip: str = ""):
        self._name, self._pip = name, pip

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # asked by tools that look at every name, not by a use
            raise AttributeError(attribute)
        try:
            module = importlib.import_module(self._name)
        except ImportError as error:
            if not self._pip:
                raise
            raise ImportError(
                f"This needs {self._name.partition('.')[0]}.\n  fix: pip install {self._pip!r}"
            ) from error
        return getattr(module, attribute)


def attach(
    package: str, homes: Mapping[str, str], modules: tuple[str, ...] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Returns `__getattr__`, `__dir__` and `__all__` for a package.

    Args:
        package: Its `__name__`.
        homes: For each public name, the module that defines it.
        modules: Submodules that are public names themselves.
    """
    names = sorted([*homes, *modules])

    def __getattr__(name: str) -> Any:
        if name in homes:
            value = getattr(_import(homes[name]), name)
        elif name in modules:
            value = _import(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)  # found without us from now on
        return value

    return __getattr__, lambda: names, names


def _import(module: str) -> ModuleType:
    with _gc_disabled():
        return importlib.import_module(module)


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Inside, no garbage is collected: modules are none, and yet made to be looked through.

    That takes as long as importing our own, as all that a framework has loaded is looked through.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
