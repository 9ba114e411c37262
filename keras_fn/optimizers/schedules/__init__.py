"""Learning rates that change with the step: the public namespace `optimizers.schedules`."""

from typing import Any

from keras_fn.core.registry import register
from keras_fn.core.serialization import deserialize_as, serialize_keras_object
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

register(
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
    """Returns the config of a schedule.

    Args:
        learning_rate_schedule: The schedule.

    Example:
        >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        >>> keras.optimizers.schedules.serialize(schedule)["class_name"]
        'ExponentialDecay'
    """
    return serialize_keras_object(learning_rate_schedule)


def deserialize(
    config: dict[str, Any], custom_objects: dict[str, Any] | None = None
) -> LearningRateSchedule:
    """Returns the schedule that a config stands for.

    Args:
        config: What `serialize` gave.
        custom_objects: Names of classes of your own.

    Raises:
        ValueError: The config names no schedule.

    Example:
        >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        >>> config = keras.optimizers.schedules.serialize(schedule)
        >>> keras.optimizers.schedules.deserialize(config).decay_steps
        10
    """
    return deserialize_as("schedule", config, custom_objects)
