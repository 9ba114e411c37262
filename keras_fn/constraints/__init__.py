"""Weight constraints: the public namespace `keras.constraints`."""

from collections.abc import Callable, Mapping
from typing import Any, overload

from keras_fn.constraints.constraints import (
    Constraint as Constraint,
    MaxNorm as MaxNorm,
    MinMaxNorm as MinMaxNorm,
    NonNeg as NonNeg,
    UnitNorm as UnitNorm,
)
from keras_fn.core import namespaces, registry, serialization
from keras_fn.types import ConstraintLike

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

registry.register("constraint", "keras.constraints", [Constraint])
registry.register(
    "constraint",
    "keras.constraints",
    (MaxNorm, MinMaxNorm, NonNeg, UnitNorm),
    max_norm=MaxNorm,
    min_max_norm=MinMaxNorm,
    non_neg=NonNeg,
    unit_norm=UnitNorm,
)


@overload
def serialize(constraint: None) -> None: ...
@overload
def serialize(constraint: Constraint | Callable[..., Any]) -> dict[str, Any]: ...
def serialize(constraint: Constraint | Callable[..., Any] | None) -> dict[str, Any] | None:
    """Serializes a constraint to a config, for `deserialize`.

    Args:
        constraint: A constraint, a function with a name, or None.

    Returns:
        The config, a dict of plain values that can be written as JSON; None for None.

    Raises:
        ValueError: It is a lambda, or holds one: a lambda has no name to write.
        TypeError: It is neither a named function nor an object with `get_config()`.

    Example:
        >>> keras.constraints.serialize(keras.constraints.NonNeg())["class_name"]
        'NonNeg'
    """
    return serialization.serialize_keras_object(constraint)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Constraint:
    """Deserializes a constraint from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The constraint.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> keras.constraints.deserialize("unit_norm").get_config()
        {'axis': 0}
    """
    return serialization.deserialize_as("constraint", config, custom_objects)


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: ConstraintLike) -> Constraint: ...
def get(identifier: ConstraintLike | None) -> Constraint | None:
    """Returns a constraint for any of the forms in which one can be passed.

    Args:
        identifier: A name, a config, a constraint or its class, a function of a weight, or
            None.

    Returns:
        The constraint, as it is if it is an instance or a function; None for None.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

    Example:
        >>> keras.constraints.get("unit_norm").get_config()
        {'axis': 0}
    """
    return serialization.get_object("constraint", identifier)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
