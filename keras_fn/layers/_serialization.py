"""Layers as configs and back: `keras.layers.serialize` and `keras.layers.deserialize`."""

from collections.abc import Mapping
from typing import Any

from keras_fn.core import serialization
from keras_fn.errors import SpecError
from keras_fn.layers.layer import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """Serializes a layer to a config, for `deserialize`. A model is a layer, too.

    Args:
        layer: A layer.

    Returns:
        The config, a dict of plain values that can be written as JSON. It holds no weights.

    Raises:
        TypeError: It has no `get_config()`.

    Example:
        >>> keras.layers.serialize(keras.layers.Dense(2))["class_name"]
        'Dense'
    """
    return serialization.serialize_keras_object(layer)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Layer:
    """Deserializes a layer from a config.

    Args:
        config: A config, as `serialize` returns it.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The layer, with new weights.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> config = keras.layers.serialize(keras.layers.Dense(2))
        >>> keras.layers.deserialize(config).units
        2
    """
    layer = serialization.deserialize_as("layer", config, custom_objects)
    if not isinstance(layer, Layer):
        raise SpecError(
            "layers.deserialize",
            expected="the config of a layer",
            received=f"{config!r}"[:200],
            fix="pass what keras_fn.layers.serialize(layer) returns",
        )
    return layer
