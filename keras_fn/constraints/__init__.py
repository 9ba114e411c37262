"""What weights are projected onto after each update."""

from typing import Any

from keras_fn.constraints.constraints import Constraint as Constraint
from keras_fn.constraints.constraints import MaxNorm as MaxNorm
from keras_fn.constraints.constraints import MinMaxNorm as MinMaxNorm
from keras_fn.constraints.constraints import NonNeg as NonNeg
from keras_fn.constraints.constraints import UnitNorm as UnitNorm
from keras_fn.core.registry import register
from keras_fn.core.serialization import deserialize_as, get_object, serialize_keras_object

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

register("constraint", "keras.constraints", [Constraint])
register(
    "constraint",
    "keras.constraints",
    (MaxNorm, MinMaxNorm, NonNeg, UnitNorm),
    max_norm=MaxNorm,
    min_max_norm=MinMaxNorm,
    non_neg=NonNeg,
    unit_norm=UnitNorm,
)


def serialize(constraint: Any) -> Any:
    """Returns the config of a constraint.

    Example:
        >>> keras.constraints.serialize(keras.constraints.NonNeg())["class_name"]
        'NonNeg'
    """
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the constraint that a config or a name stands for.

    Args:
        config: What `serialize` gave, or a name.
        custom_objects: Names of classes and functions of your own.

    Raises:
        ValueError: The name is unknown, or not a constraint's.

    Example:
        >>> keras.constraints.deserialize("unit_norm").get_config()
        {'axis': 0}
    """
    return deserialize_as("constraint", config, custom_objects)


def get(identifier: Any) -> Any:
    """Returns a constraint for whatever stands for one.

    Args:
        identifier: A name, a config, a constraint or a class of one, a function of a weight, or
            None.

    Returns:
        A callable; None for None.

    Raises:
        ValueError: It stands for none.

    Example:
        >>> keras.constraints.get("unit_norm").get_config()
        {'axis': 0}
    """
    return get_object("constraint", identifier)
