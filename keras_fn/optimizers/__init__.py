"""Optimizers: the public namespace `keras.optimizers`."""

from collections.abc import Mapping
from typing import Any

from keras_fn.core.object_lookup import ObjectLookup
from keras_fn.core.registry import register
from keras_fn.errors import SpecError
from keras_fn.optimizers import legacy as legacy, schedules as schedules
from keras_fn.optimizers.adadelta import Adadelta as Adadelta
from keras_fn.optimizers.adafactor import Adafactor as Adafactor
from keras_fn.optimizers.adagrad import Adagrad as Adagrad
from keras_fn.optimizers.adam import Adam as Adam
from keras_fn.optimizers.adamax import Adamax as Adamax
from keras_fn.optimizers.adamw import AdamW as AdamW
from keras_fn.optimizers.ftrl import Ftrl as Ftrl
from keras_fn.optimizers.lamb import Lamb as Lamb
from keras_fn.optimizers.lion import Lion as Lion
from keras_fn.optimizers.loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer
from keras_fn.optimizers.multi_optimizer import (
    MultiOptimizer as MultiOptimizer,
    OptimizerMap as OptimizerMap,
)
from keras_fn.optimizers.muon import Muon as Muon
from keras_fn.optimizers.nadam import Nadam as Nadam
from keras_fn.optimizers.optimizer import Optimizer as Optimizer
from keras_fn.optimizers.rmsprop import RMSprop as RMSprop
from keras_fn.optimizers.schedule_free_adamw import ScheduleFreeAdamW as ScheduleFreeAdamW
from keras_fn.optimizers.sgd import SGD as SGD
from keras_fn.types import OptimizerLike

_CLASSES = (
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamW,
    Adamax,
    Ftrl,
    Lamb,
    Lion,
    Muon,
    Nadam,
    RMSprop,
    SGD,
    ScheduleFreeAdamW,
)
_WRAPPERS = (LossScaleOptimizer, MultiOptimizer)
_LOWERCASE = {cls.__name__.lower(): cls for cls in (*_CLASSES, *_WRAPPERS)}
register("optimizer", "keras.optimizers", (*_CLASSES, *_WRAPPERS), **_LOWERCASE)
register("optimizer_map", "keras.optimizers", (OptimizerMap,))


class _OptimizerLookup(ObjectLookup[OptimizerLike, Optimizer]):
    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Returns an optimizer; older files write the class name in lowercase."""
        if isinstance(config, dict) and str(config.get("class_name", "")).lower() in _LOWERCASE:
            config = {**config, "class_name": _LOWERCASE[config["class_name"].lower()].__name__}
        return super().deserialize(config, custom_objects)

    def get(self, identifier: Any) -> Any:
        """Returns an optimizer; a name may be in any mixture of cases."""
        if identifier is None or isinstance(identifier, Optimizer):
            return identifier
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, str):
            return self.deserialize({"class_name": identifier, "config": {}})
        raise SpecError(
            "optimizers.get",
            expected="a name, a config or an optimizer",
            received=f"{identifier!r} of type {type(identifier).__name__}",
            fix='for example "adam", or keras.optimizers.Adam(learning_rate=1e-3)',
        )


serialize, deserialize, get = _OptimizerLookup(
    "optimizer",
    article="an",
    accepts="A name, a config, an optimizer, or None.",
    returns="An `Optimizer`; None for None.",
    config="A dict of plain values, without the state of the optimizer",
).functions(
    __name__,
    examples=(
        """>>> keras.optimizers.serialize(keras.optimizers.SGD())["class_name"]
'SGD'""",
        """>>> keras.optimizers.deserialize({"class_name": "adam", "config": {}}).beta_1
0.9""",
        """>>> keras.optimizers.get("rmsprop").rho
0.9""",
    ),
)
__test__ = {"serialize": serialize, "deserialize": deserialize, "get": get}  # doctests
