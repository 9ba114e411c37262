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

# Layers that few programs import, and a file can name: where each is defined, and Keras's module.
_RARE_LAYERS = {
    "Distiller": ("keras_fn.distillation.distiller", "keras.distillation"),
    "FeatureSpace": ("keras_fn.models.feature_space", "keras.utils"),
    "TFDConcat": (
        "keras_fn.layers.preprocessing.feature",
        "keras.src.layers.preprocessing.feature_space",
    ),
    "TFDIdentity": (
        "keras_fn.layers.preprocessing.feature",
        "keras.src.layers.preprocessing.feature_space",
    ),
}


def _load_rare_layer(name: str) -> Any:
    return getattr(LazyModule(_RARE_LAYERS[name][0]), name)


for _name, (_origin, _module) in _RARE_LAYERS.items():
    register_lazily("layer", _module, {_name: (_origin, _name)}, _load_rare_layer)

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
