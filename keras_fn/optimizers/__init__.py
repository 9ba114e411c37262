"""Optimizers: the public namespace `keras.optimizers`."""

from typing import Any

from keras_fn.core.registry import register
from keras_fn.core.serialization import deserialize_as, serialize_keras_object
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
_LOWER = {cls.__name__.lower(): cls for cls in (*_CLASSES, *_WRAPPERS)}
register("optimizer", "keras.optimizers", (*_CLASSES, *_WRAPPERS), **_LOWER)
register("optimizer_map", "keras.optimizers", (OptimizerMap,))


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Returns the config of an optimizer, without its state.

    Args:
        optimizer: The optimizer.

    Example:
        >>> keras.optimizers.serialize(keras.optimizers.SGD())["class_name"]
        'SGD'
    """
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """Returns the optimizer that a config or a name stands for.

    Args:
        config: What `serialize` gave; or a name, in any mixture of capitals.
        custom_objects: Names of classes of your own.

    Raises:
        ValueError: The config names no optimizer.

    Example:
        >>> keras.optimizers.deserialize({"class_name": "adam", "config": {}}).beta_1
        0.9
    """
    if isinstance(config, dict) and str(config.get("class_name", "")).lower() in _LOWER:
        # Old files write names in small letters.
        config = {**config, "class_name": _LOWER[config["class_name"].lower()].__name__}
    return deserialize_as("optimizer", config, custom_objects)


def get(identifier: Any) -> Any:
    """Returns an optimizer for whatever stands for one.

    Args:
        identifier: A name, a config, an optimizer, or None.

    Returns:
        The optimizer; None for None.

    Raises:
        ValueError: It stands for none.

    Example:
        >>> keras.optimizers.get("rmsprop").rho
        0.9
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    raise SpecError(
        "optimizers.get",
        expected="a name, a config or an optimizer",
        received=f"{identifier!r} of type {type(identifier).__name__}",
        fix='for example "adam", or keras.optimizers.Adam(learning_rate=1e-3)',
    )
