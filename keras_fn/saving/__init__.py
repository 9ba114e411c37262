"""Files of models: `.keras`, `.weights.h5`, legacy `.h5`. The public namespace `keras.saving`.

Names are imported when they are asked for: models stand on this package, and a file may name any
class, so loading one needs all of them.
"""

import importlib
from typing import Any

_FILES, _CORE, _REGISTRY = (
    "keras_fn.saving.saving_api",
    "keras_fn.core.serialization",
    "keras_fn.core.registry",
)
_EXPORTS = {
    "load_model": _FILES,
    "load_weights": _FILES,
    "save_model": _FILES,
    "save_weights": _FILES,
    "deserialize_keras_object": _CORE,
    "serialize_keras_object": _CORE,
    "CustomObjectScope": _REGISTRY,
    "custom_object_scope": _REGISTRY,
    "get_custom_objects": _REGISTRY,
    "get_registered_name": _REGISTRY,
    "get_registered_object": _REGISTRY,
    "register_keras_serializable": _REGISTRY,
}
_FILLERS = tuple(
    f"keras_fn.{name}"
    for name in ("models", "layers", "losses", "metrics", "optimizers", "ops", "random")
)  # what enters the built-in classes into the tables


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for module in _FILLERS if _EXPORTS[name] in (_FILES, _CORE) else ():
        importlib.import_module(module)
    value = globals()[name] = getattr(importlib.import_module(_EXPORTS[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(_EXPORTS)
