"""Base class of layers that wrap another layer."""

from collections.abc import Mapping
from typing import Any, Self, Unpack

from keras_fn.core.serialization import deserialize_keras_object
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._build_wrapper import allow_signature_override
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested


class Wrapper(Layer):
    """Base class of layers that wrap another layer. Subclasses define `call`.

    Args:
        layer: The layer to wrap.

    Raises:
        ValueError: `layer` is not a layer.

    Example:
        >>> class Twice(keras.layers.Wrapper):
        ...     def call(self, inputs):
        ...         return self.layer(inputs) * 2
        >>> Twice(keras.layers.Dense(4))(keras.Input((3,))).shape
        (None, 4)
    """

    _names_inner_errors = True

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise argument_error(self, "layer", "a layer", layer, "for example Dense(4)")
        self.layer = layer

    def _float_input_dtype(self, dtype: str) -> str:
        """Leaves the cast to the wrapped layer."""
        return self.layer._float_input_dtype(dtype)

    @allow_signature_override
    def build(self, input_shape: Nested = None) -> None:
        """Builds the wrapped layer."""
        if not self.layer.built:
            self.layer.build_from_config({"input_shape": input_shape})
        self.built = True

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects, kind="layer")
        return cls(layer, **config)
