"""The module `keras` of a process in which keras_fn is installed under that name.

Its names are those of keras_fn, and its submodules are the same objects. Only the version differs:
that of the Keras whose API this is.
"""

import importlib
from typing import Any

from keras_fn.alias.finder import PACKAGE
from keras_fn.version import KERAS_VERSION as __version__

_package = importlib.import_module(PACKAGE)
__all__ = [x for x in dir(_package) if x != "install"]  # pyright: ignore[reportUnsupportedDunderAll]
_MODULES = ("src", "_tf_keras")


def version() -> str:
    """Returns the version of Keras whose API this is."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in __all__:
        value = globals()[name] = getattr(_package, name)
        return value
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__", "version"})
