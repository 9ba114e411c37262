"""Weight regularizers: the public namespace `keras.regularizers`."""

from collections.abc import Callable, Mapping
from typing import Any, overload

from keras_fn.core import namespaces, registry, serialization
from keras_fn.regularizers.regularizers import (
    L1 as L1,
    L1L2 as L1L2,
    L2 as L2,
    OrthogonalRegularizer as OrthogonalRegularizer,
    Regularizer as Regularizer,
)
from keras_fn.types import RegularizerLike

l1, l2, l1_l2 = L1, L2, L1L2
orthogonal_regularizer = OrthogonalRegularizer

registry.register("regularizer", "keras", [Regularizer])
registry.register(
    "regularizer",
    "keras.regularizers",
    (L1, L2, L1L2, OrthogonalRegularizer),
    l1=L1,
    l2=L2,
    l1l2=L1L2,
    l1_l2=L1L2,
    orthogonal_regularizer=OrthogonalRegularizer,
)


@overload
def serialize(regularizer: None) -> None: ...
@overload
def serialize(regularizer: Regularizer | Callable[..., Any]) -> dict[str, Any]: ...
def serialize(regularizer: Regularizer | Callable[..., Any] | None) -> dict[str, Any] | None:
    """Serializes a regularizer to a config, for `deserialize`.

    Args:
        regularizer: A regularizer, a function with a name, or None.

    Returns:
        The config, a dict of plain values that can be written as JSON; None for None.

    Raises:
        ValueError: It is a lambda, or holds one: a lambda has no name to write.
        TypeError: It is neither a named function nor an object with `get_config()`.

    Example:
        >>> keras.regularizers.serialize(keras.regularizers.L2())["class_name"]
        'L2'
    """
    return serialization.serialize_keras_object(regularizer)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Regularizer:
    """Deserializes a regularizer from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The regularizer.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> keras.regularizers.deserialize("l2").get_config()
        {'l2': 0.01}
    """
    return serialization.deserialize_as("regularizer", config, custom_objects)


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: RegularizerLike) -> Regularizer: ...
def get(identifier: RegularizerLike | None) -> Regularizer | None:
    """Returns a regularizer for any of the forms in which one can be passed.

    Args:
        identifier: A name, a config, a regularizer or its class, a function of a weight, or
            None.

    Returns:
        The regularizer, as it is if it is an instance or a function; None for None.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

    Example:
        >>> keras.regularizers.get("l2").get_config()
        {'l2': 0.01}
    """
    return serialization.get_object("regularizer", identifier)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
