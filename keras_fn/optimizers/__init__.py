"""Optimizers: the public namespace `keras.optimizers`."""

from collections.abc import Mapping
from typing import Any, overload

from keras_fn import errors
from keras_fn.core import namespaces, registry, serialization
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
registry.register("optimizer", "keras.optimizers", (*_CLASSES, *_WRAPPERS), **_LOWERCASE)
registry.register("optimizer_map", "keras.optimizers", (OptimizerMap,))
for _class in (Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, RMSprop, SGD):
    # Keras on PyTorch writes the classes of its backend into files.
    _module = f"keras.src.backend.torch.optimizers.torch_{_class.__name__.lower()}"
    registry.register("optimizer", _module, (_class,))


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Serializes an optimizer to a config, for `deserialize`.

    Args:
        optimizer: An optimizer.

    Returns:
        The config, a dict of plain values, without the state of the optimizer.

    Raises:
        ValueError: It holds a lambda, such as a learning rate: a lambda has no name to write.

    Example:
        >>> keras.optimizers.serialize(keras.optimizers.SGD())["class_name"]
        'SGD'
    """
    return serialization.serialize_keras_object(optimizer)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Optimizer:
    """Deserializes an optimizer from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The optimizer, without state.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> keras.optimizers.deserialize({"class_name": "adam", "config": {}}).beta_1
        0.9
    """
    if isinstance(config, dict) and str(config.get("class_name", "")).lower() in _LOWERCASE:
        # Older files write the class name in lowercase.
        config = {**config, "class_name": _LOWERCASE[config["class_name"].lower()].__name__}
    return serialization.deserialize_as("optimizer", config, custom_objects)


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: OptimizerLike) -> Optimizer: ...
def get(identifier: OptimizerLike | None) -> Optimizer | None:
    """Returns an optimizer for any of the forms in which one can be passed.

    Args:
        identifier: A name, in uppercase or lowercase, a config, an optimizer, or None.

    Returns:
        The `Optimizer`; None for None.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

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
    raise errors.SpecError(
        "optimizers.get",
        expected="a name, a config or an optimizer",
        received=f"{identifier!r} of type {type(identifier).__name__}",
        fix='for example "adam", or keras.optimizers.Adam(learning_rate=1e-3)',
    )


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals(), modules=("legacy", "schedules"))
