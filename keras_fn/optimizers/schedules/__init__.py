"""Learning rate schedules: the public namespace `optimizers.schedules`."""

from collections.abc import Mapping
from typing import Any

from keras_fn.core import namespaces, registry, serialization
from keras_fn.optimizers.schedules.cosine import (
    CosineDecay as CosineDecay,
    CosineDecayRestarts as CosineDecayRestarts,
)
from keras_fn.optimizers.schedules.decays import (
    ExponentialDecay as ExponentialDecay,
    InverseTimeDecay as InverseTimeDecay,
    PiecewiseConstantDecay as PiecewiseConstantDecay,
    PolynomialDecay as PolynomialDecay,
)
from keras_fn.optimizers.schedules.schedule import LearningRateSchedule as LearningRateSchedule

registry.register(
    "schedule",
    "keras.optimizers.schedules",
    (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    ),
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Serializes a learning rate schedule to a config, for `deserialize`.

    Args:
        learning_rate_schedule: A learning rate schedule.

    Returns:
        The config, a dict of plain values that can be written as JSON.

    Raises:
        ValueError: It holds a lambda: a lambda has no name to write.

    Example:
        >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        >>> keras.optimizers.schedules.serialize(schedule)["class_name"]
        'ExponentialDecay'
    """
    return serialization.serialize_keras_object(learning_rate_schedule)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> LearningRateSchedule:
    """Deserializes a learning rate schedule from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The learning rate schedule.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        >>> config = keras.optimizers.schedules.serialize(schedule)
        >>> keras.optimizers.schedules.deserialize(config).decay_steps
        10
    """
    return serialization.deserialize_as("schedule", config, custom_objects)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
