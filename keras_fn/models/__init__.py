"""Level 6: models. As a public namespace, `keras.models`.

The public names are listed in `__init__.pyi`. `load_model` and `save_model` are imported lazily,
because they need h5py.
"""

from keras_fn._lazy import attach_stub
from keras_fn.core.registry import register, register_rare
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential

register("layer", "keras", [Model, Sequential])
register("layer", "keras.models", [Model, Sequential])
register("layer", "keras.src.models.functional", [Functional])
register("layer", "keras.src.models.sequential", [Sequential])
register("layer", "keras.src.models.model", [Model])
register("layer", "keras.src.engine.functional", [Functional])

_FEATURES = (
    "keras_fn.layers.preprocessing.feature",
    "keras.src.layers.preprocessing.feature_space",
)
register_rare(
    "layer",
    {
        "Distiller": ("keras_fn.distillation.distiller", "keras.distillation"),
        "FeatureSpace": ("keras_fn.models.feature_space", "keras.utils"),
        "TFDConcat": _FEATURES,
        "TFDIdentity": _FEATURES,
    },
)

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
