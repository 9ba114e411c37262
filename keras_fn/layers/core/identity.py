"""The identity layer."""

from typing import Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested


class Identity(Layer):
    """Identity layer: returns its inputs, which may be nested.

    Input shape:
        Any tensors.

    Output shape:
        The same.

    Example:
        >>> keras.layers.Identity()(keras.Input((3,))).shape
        (None, 3)
    """

    _has_nothing_to_build = True

    def __init__(self, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Nested) -> Nested:
        """Returns the inputs."""
        return inputs
