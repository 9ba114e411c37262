"""Losses by name and by config."""

import inspect
from typing import Any

from keras_fn.core import registry, serialization
from keras_fn.losses import (
    crossentropy,
    ctc,
    focal,
    hinge,
    metric_learning,
    probabilistic,
    regression,
    segmentation,
)
from keras_fn.losses.loss import BuiltInLoss, Loss, LossFunctionWrapper

_FAMILIES = (
    ctc,
    crossentropy,
    hinge,
    segmentation,
    metric_learning,
    focal,
    probabilistic,
    regression,
)
CLASSES = tuple(
    cls
    for family in _FAMILIES
    for cls in vars(family).values()
    if inspect.isclass(cls) and issubclass(cls, BuiltInLoss) and cls is not BuiltInLoss
)
FUNCTIONS = tuple(cls.function for cls in CLASSES)
SHORT = {
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
SHORT |= {short.upper(): name for short, name in SHORT.items()}
SHORT |= {"kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh"}

_BY_NAME = {function.__name__: function for function in FUNCTIONS}
registry.register(
    "loss",
    "keras.losses",
    (Loss, LossFunctionWrapper, *CLASSES, *FUNCTIONS),
    **{short: _BY_NAME[name] for short, name in SHORT.items()},
)


def serialize(loss: Any) -> Any:
    """Returns the config of a loss, or of a loss function, as plain values.

    Example:
        >>> keras.losses.serialize(keras.losses.Huber())["class_name"]
        'Huber'
    """
    return serialization.serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the loss, or loss function, of a config.

    Args:
        name: What `serialize` gave.
        custom_objects: Names of the program's own losses that the config may use.

    Example:
        >>> keras.losses.deserialize(keras.losses.serialize(keras.losses.Huber(delta=2.0))).delta
        2.0
    """
    return serialization.deserialize_as("loss", name, custom_objects)


def get(identifier: Any) -> Any:
    """Returns the loss that `identifier` stands for.

    Args:
        identifier: A name of a class (`"MeanSquaredError"`) or function (`"mse"`,
            `"mean_squared_error"`), a config, a class, a loss, any function of targets and
            predictions, or None.

    Returns:
        A `Loss`, a function, or None.

    Raises:
        ValueError: It stands for no loss.

    Example:
        >>> keras.losses.get("mse") is keras.losses.mean_squared_error
        True
        >>> keras.losses.get("MeanSquaredError").name
        'mean_squared_error'
    """
    return serialization.get_object("loss", identifier)
