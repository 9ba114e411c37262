"""A pipeline of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers.layer import Layer
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.types import Nested, Tensor


class Pipeline(DataLayer):
    """Pipeline: applies layers one after the other.

    Unlike a `Sequential` model it is a plain layer, whose inputs may be dicts of images, labels,
    bounding boxes and segmentation masks, and which also runs in data pipelines. Called alone it
    runs in training mode.

    Args:
        layers: The layers, in order.
        name: The name of the layer.

    Input shape:
        That of the first layer.

    Output shape:
        That of the last layer.

    Raises:
        ValueError: `layers` is not a list of layers.

    Example:
        >>> layers = [keras.layers.RandomFlip(), keras.layers.Resizing(4, 4)]
        >>> layer = keras.layers.Pipeline(layers)
        >>> layer(np.ones((2, 8, 8, 3))).shape == (2, 4, 4, 3)
        True
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None):
        super().__init__(name=name)
        is_list = isinstance(layers, (list, tuple))
        if not is_list or not all(isinstance(layer, Layer) for layer in layers):
            fix = "for example [RandomFlip(), RandomRotation(0.1)]"
            raise argument_error(self, "layers", "a list of layers", layers, fix)
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self._pipeline_layers

    def _float_input_dtype(self, dtype: str) -> str:
        """Leaves the cast to the layers."""
        return dtype

    def call(self, inputs: Nested, training: bool = True, mask: Tensor | None = None) -> Nested:
        """Returns the output of the last layer.

        Args:
            inputs: The inputs of the first layer.
            training: Whether the layers run in training mode.
            mask: The mask of the inputs, for a first layer that takes one.
        """
        outputs: Any = inputs
        layers: list[Any] = self.layers
        for i, layer in enumerate(layers):
            takes_mask = i == 0 and mask is not None and layer._signature.takes("mask")
            options = {"mask": mask} if takes_mask else {}
            try:
                outputs = layer(outputs, training=training, **options)
            except SpecError as error:  # name the layer that was called
                expected = f"what {layer.name!r}, layer {i + 1} of {len(layers)}, takes: "
                raise type(error)(
                    self._label,
                    expected=expected + error.expected,
                    received=error.received,
                    fix=error.fix,
                ) from error
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {"layers": [serialize_keras_object(x) for x in self.layers], "name": self.name}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise SpecError(
                "Pipeline.from_config",
                expected='a config with "layers": a list of layers\' configs',
                received=f"layers={layers!r}"[:200],
                fix="pass what get_config returned",
            )
        read = [deserialize_keras_object(x, custom_objects, kind="layer") for x in layers]
        return cls(read, **{k: v for k, v in config.items() if k != "layers"})
