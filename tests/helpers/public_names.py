"""The public names of the package, for tests that look at all of them."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import keras_fn as keras


def public_names(module: ModuleType = keras, prefix: str = "keras") -> Iterator[tuple[str, Any]]:
    """Yields the dotted name and the value of everything public in a namespace and below it."""
    for name in sorted(dir(module)):
        if name.startswith("_"):
            continue
        value = getattr(module, name)
        if not isinstance(value, ModuleType):
            yield f"{prefix}.{name}", value
        elif value.__name__.startswith(f"{module.__name__}.") and is_namespace(value):
            yield from public_names(value, f"{prefix}.{name}")


def is_namespace(module: ModuleType) -> bool:
    """Whether a module is part of the public API: a package, or a file that `dir(keras)` names."""
    return hasattr(module, "__path__") or module.__name__.count(".") == 1
