"""Answers `import keras`, and imports from its namespaces, with the modules of keras_fn.

Both names give the same module objects: `keras.layers is keras_fn.layers`. The module `keras` is
one of its own (`keras_module.py`), because `keras.__version__` and `keras_fn.__version__` differ.

A process that `python -m keras_fn run` started imports this module at its first import of Keras
(`startup/sitecustomize.py`).
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any, cast

from keras_fn.alias.facade_table import OLD_MODULES
from keras_fn.errors import KerasError

PACKAGE = __name__.partition(".")[0]
HERE = os.path.dirname(os.path.abspath(__file__))
KERAS_FILE = os.path.join(HERE, "keras_module.py")

# What can be installed.
NAMES = ("keras", "tensorflow.keras")
# Modules that are `keras` itself, with the name that must be installed. TensorFlow reads `tf.keras`
# from the first.
_ROOTS = (
    ("keras._tf_keras.keras", "tensorflow.keras"),
    ("tensorflow.keras", "tensorflow.keras"),
    ("keras", "keras"),
)


class AliasError(KerasError, ImportError):
    """keras_fn cannot stand for a module of Keras.

    Args:
        source: The module or name that was asked for.
        expected: What would have worked.
        received: What was there instead.
        fix: What the user can do about it.
    """

    def __init__(self, source: str, *, expected: object, received: object, fix: str):
        super().__init__(source)
        self.source, self.expected, self.received, self.fix = source, expected, received, fix


class AliasFinder(MetaPathFinder):
    """Finds the modules of keras_fn under the names of Keras's.

    Attributes:
        names: The installed names, of `NAMES`.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the spec of a module under an installed name; None for any other module."""
        if fullname == "keras":
            return importlib.util.spec_from_file_location(
                fullname, KERAS_FILE, submodule_search_locations=[os.path.dirname(HERE)]
            )
        if fullname == "keras._tf_keras" or _is_in(fullname, "keras.src"):
            return _facade_spec(fullname)
        for root, name in _ROOTS:
            if _is_in(fullname, root):
                if name not in self.names:
                    raise _not_requested(fullname, name)
                inner = fullname[len(root) + 1 :]
                return (
                    _facade_spec(fullname) if inner in OLD_MODULES else _alias_spec(fullname, inner)
                )
        return None


def _is_in(fullname: str, package: str) -> bool:
    return fullname == package or fullname.startswith(f"{package}.")


def install(names: Sequence[str]) -> AliasFinder:
    """Makes imports of Keras's names give keras_fn, in this process; returns what finds them.

    Args:
        names: Some of `NAMES`. `"keras"` is always installed.

    Raises:
        AliasError: Real Keras is imported already.
    """
    finder = next((x for x in sys.meta_path if isinstance(x, AliasFinder)), None)
    if finder is None:
        _refuse_real_keras(names)
        finder = AliasFinder()
        sys.meta_path.insert(0, finder)
        importlib.invalidate_caches()
    finder.names |= {"keras", *names}
    return finder


def _refuse_real_keras(names: Sequence[str]) -> None:
    loaded = sys.modules.get("keras")
    if loaded is not None:
        version = getattr(loaded, "__version__", "of unknown version")
        raise AliasError(
            f"keras_fn.install({', '.join(map(repr, names))})",
            expected="a process in which no module is named keras yet",
            received=f"keras {version}, from {getattr(loaded, '__file__', None)}",
            fix="call install before anything imports keras (TensorFlow does, where it is "
            "installed), or run the program by: python -m keras_fn run program.py",
        )


def _not_requested(fullname: str, name: str) -> AliasError:
    return AliasError(
        f"import {fullname}",
        expected=f"{name} to be installed too, since keras is keras_fn in this process",
        received="keras_fn under the name keras alone",
        fix=f"python -m keras_fn run --also {name} program.py, or "
        f'keras_fn.install("keras", "{name}")',
    )


def _alias_spec(fullname: str, inner: str) -> ModuleSpec | None:
    """Returns the spec by which a module of keras_fn is imported under another name."""
    try:
        found = importlib.util.find_spec(f"{PACKAGE}.{inner}" if inner else "keras")
    except ModuleNotFoundError as error:
        if not _is_in(error.name or "", PACKAGE):
            raise  # a package that a module of keras_fn needs is not installed
        found = None
    if found is None:
        return None
    is_package = found.submodule_search_locations is not None
    return ModuleSpec(fullname, _AliasLoader(found), origin=found.origin, is_package=is_package)


def _facade_spec(fullname: str) -> ModuleSpec:
    return ModuleSpec(fullname, _FacadeLoader(), is_package=True)


class _AliasLoader(InspectLoader):
    """Gives a module that has another name; `python -m` reads its code here."""

    def __init__(self, target: ModuleSpec):
        self._target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._target.name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # Importing it under another name set its spec, by which `importlib.reload` finds it.
        module.__spec__ = self._own_spec

    def is_package(self, fullname: str) -> bool:
        return self._target.submodule_search_locations is not None

    def get_code(self, fullname: str) -> CodeType | None:
        return self._inspected().get_code(self._target.name)

    def get_source(self, fullname: str) -> str | None:
        return self._inspected().get_source(self._target.name)

    def _inspected(self) -> InspectLoader:
        return cast(InspectLoader, self._target.loader)


class _FacadeLoader(Loader):
    """Creates the modules of `keras.src`, which have no files."""

    def create_module(self, spec: ModuleSpec) -> Any:
        return importlib.import_module(f"{PACKAGE}.alias.facade").create_module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Does nothing: names are looked up when they are used."""
