"""Public faces whose names are imported when they are first used (PEP 562).

`import keras_fn` must load no framework, and a Layer cannot be defined without its backend: so a
face lists where its names live, and the first use of one imports it.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


class Deferred:
    """A module that is imported when something of it is first used: it takes long to import.

    Args:
        name: The module.
    """

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


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
            value = getattr(importlib.import_module(homes[name]), name)
        elif name in modules:
            value = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)  # found without us from now on
        return value

    return __getattr__, lambda: names, names
