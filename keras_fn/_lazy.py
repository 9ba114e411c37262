"""Lazy imports: public namespaces whose names are imported when they are first used (PEP 562).

`import keras_fn` must not load a framework, but a Layer cannot be defined without its backend. So
the names of a public namespace stand in a stub, `__init__.pyi` next to `__init__.py`: type checkers
and editors read it, and `attach_stub` imports each name from where the stub imports it. This is the
scheme of the library `lazy-loader`, without its cost (it parses stubs with `ast`), and with garbage
collection disabled while a name is imported.
"""

import gc
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

_IMPORT = re.compile(r"^from (\S+) import (\([^)]*\)|.+)$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^(\w+) = (\w+)$", re.MULTILINE)
_ALIAS = re.compile(r"(\w+) as (\w+)")


class LazyModule:
    """A module that is imported when an attribute of it is first used.

    Args:
        name: The name of the module.
        pip: For an optional dependency: the argument of `pip install` that provides it.

    Raises:
        ImportError: The optional dependency is not installed. Raised when an attribute is used.
    """

    def __init__(self, name: str, pip: str = ""):
        self._name, self._pip = name, pip

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # introspection by tools is not a use
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


def attach_stub(
    package: str, file: str, requires: Mapping[str, Sequence[str]] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Returns `__getattr__`, `__dir__` and `__all__` for a package with a stub.

    Args:
        package: The `__name__` of the package.
        file: Its `__file__`. The stub is the `.pyi` file next to it, made of lines
            `from module import name as name`, and `other_name = name` for further names.
        requires: For some modules of the stub, the modules to import before a name of theirs is
            used, because they register what the name needs.
    """
    exports = read_stub(file)
    names = sorted(name for name in exports if not name.startswith("_"))

    def __getattr__(name: str) -> Any:
        if name not in exports:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, attribute = exports[name]
        with gc_disabled():
            for required in (requires or {}).get(module, ()):
                importlib.import_module(required)
            value = _import_name(package, module, attribute)
        setattr(sys.modules[package], name, value)  # so that the next access does not come here
        return value

    return __getattr__, lambda: names, names


@cache
def read_stub(file: str) -> Mapping[str, tuple[str, str]]:
    """Returns the module from which the stub of a package imports each name, and its name there.

    Args:
        file: The `__file__` of the package, whose stub is next to it.
    """
    with open(os.path.splitext(file)[0] + ".pyi", encoding="utf-8") as stub:
        text = stub.read()
    exports = {
        name: (module, attribute)
        for module, names in _IMPORT.findall(text)
        for attribute, name in _ALIAS.findall(names)
    }
    return exports | {name: exports[other] for name, other in _ASSIGNMENT.findall(text)}


def _import_name(package: str, module: str, name: str) -> ModuleType | Any:
    if module == package:  # a submodule
        return importlib.import_module(f"{package}.{name}")
    return getattr(importlib.import_module(module), name)


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Disables garbage collection inside the context.

    Importing creates many objects and no garbage, as does reading a model from a file. With a
    framework loaded, the collections that they trigger take as long as importing this package.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
