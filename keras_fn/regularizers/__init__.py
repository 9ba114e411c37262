"""Penalties on weights, added to the loss."""

from typing import Any

from keras_fn.core.registry import register
from keras_fn.core.serialization import deserialize_as, get_object, serialize_keras_object
from keras_fn.regularizers.regularizers import L1 as L1
from keras_fn.regularizers.regularizers import L1L2 as L1L2
from keras_fn.regularizers.regularizers import L2 as L2
from keras_fn.regularizers.regularizers import OrthogonalRegularizer as OrthogonalRegularizer
from keras_fn.regularizers.regularizers import Regularizer as Regularizer

l1, l2, l1_l2 = L1, L2, L1L2
orthogonal_regularizer = OrthogonalRegularizer

register("regularizer", "keras", [Regularizer])
register(
    "regularizer",
    "keras.regularizers",
    (L1, L2, L1L2, OrthogonalRegularizer),
    l1=L1,
    l2=L2,
    l1l2=L1L2,
    l1_l2=L1L2,
    orthogonal_regularizer=OrthogonalRegularizer,
)


def serialize(regularizer: Any) -> Any:
    """Returns the config of a regularizer.

    Example:
        >>> keras.regularizers.serialize(keras.regularizers.L2())["class_name"]
        'L2'
    """
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the regularizer that a config or a name stands for.

    Args:
        config: What `serialize` gave, or a name.
        custom_objects: Names of classes and functions of your own.

    Raises:
        ValueError: The name is unknown, or not a regularizer's.

    Example:
        >>> keras.regularizers.deserialize("l2").get_config()
        {'l2': 0.01}
    """
    return deserialize_as("regularizer", config, custom_objects)


def get(identifier: Any) -> Any:
    """Returns a regularizer for whatever stands for one.

    Args:
        identifier: A name, a config, a regularizer or a class of one, a function of a weight, or
            None.

    Returns:
        A callable; None for None.

    Raises:
        ValueError: It stands for none.

    Example:
        >>> keras.regularizers.get("l2").get_config()
        {'l2': 0.01}
    """
    return get_object("regularizer", identifier)
