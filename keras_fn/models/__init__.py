"""Floor 6: models: Model, Functional, Sequential, cloning."""

import sys
from typing import TYPE_CHECKING

from keras_fn._lazy import attach
from keras_fn.core.registry import register
from keras_fn.models.cloning import clone_model as clone_model
from keras_fn.models.functional import Functional as Functional
from keras_fn.models.model import Model as Model, model_from_json as model_from_json
from keras_fn.models.sequential import Sequential as Sequential

if TYPE_CHECKING:
    from keras_fn.saving.saving_api import load_model as load_model, save_model as save_model

# Files need h5py, which takes its time to import.
_LATER = ("load_model", "save_model")
__getattr__, _, _ = attach(__name__, dict.fromkeys(_LATER, "keras_fn.saving.saving_api"))


def __dir__() -> list[str]:
    return sorted({*vars(sys.modules[__name__]), *_LATER})


register("layer", "keras", [Model, Sequential])
register("layer", "keras.models", [Model, Sequential])
register("layer", "keras.src.models.functional", [Functional])
register("layer", "keras.src.models.sequential", [Sequential])
register("layer", "keras.src.models.model", [Model])
register("layer", "keras.src.engine.functional", [Functional])
