"""Level 6: models. As a public namespace, `keras.models`.

The public names are listed in `__init__.pyi`. `load_model` and `save_model` are imported lazily,
because they need h5py.
"""

from typing import Any

from keras_fn._lazy import LazyModule, attach_stub
from keras_fn.core.registry import register, register_lazily
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential

register("layer", "keras", [Model, Sequential])
register("layer", "keras.models", [Model, Sequential])
register("layer", "keras.src.models.functional", [Functional])
register("layer", "keras.src.models.sequential", [Sequential])
register("layer", "keras.src.models.model", [Model])
register("layer", "keras.src.engine.functional", [Functional])

_feature_space = LazyModule("keras_fn.models.feature_space")
_distiller = LazyModule("keras_fn.distillation.distiller")


def _load_feature_space(name: str) -> Any:
    return getattr(_feature_space, name)


def _load_distiller(name: str) -> Any:
    return getattr(_distiller, name)


register_lazily(
    "layer",
    "keras.utils",
    {"FeatureSpace": ("keras_fn.models.feature_space", "FeatureSpace")},
    _load_feature_space,
)
register_lazily(
    "layer",
    "keras.distillation",
    {"Distiller": ("keras_fn.distillation.distiller", "Distiller")},
    _load_distiller,
)
register_lazily(
    "layer",
    "keras.src.layers.preprocessing.feature_space",
    {
        name: ("keras_fn.layers.preprocessing.feature", name)
        for name in ("TFDConcat", "TFDIdentity")
    },
    _load_feature_space,
)

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
