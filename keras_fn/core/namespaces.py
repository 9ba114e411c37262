"""What `dir` lists of a public namespace, in notebooks and consoles for example."""

import __future__

import collections.abc
import typing
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from keras_fn import types

_SOURCES = (typing, collections.abc, types, __future__)


def list_public_names(namespace: Mapping[str, Any], modules: tuple[str, ...] = ()) -> list[str]:
    """Returns the public names of a namespace, for its `__dir__`.

    Imported modules and the names that annotations need are not among them.

    Args:
        namespace: The `globals()` of the module.
        modules: The modules in it that are public namespaces, too.
    """
    return [
        name
        for name, value in namespace.items()
        if name in modules or (not isinstance(value, ModuleType) and not _is_imported(name, value))
    ]


def _is_imported(name: str, value: Any) -> bool:
    return any(name in vars(source) and vars(source)[name] is value for source in _SOURCES)
