"""A function as a layer."""

from typing import Any

from keras_fn.layers.layer import Layer


class Identity(Layer):
    """Returns its inputs, nested ones too.

    Input: any tensors. Output: the same.

    Example:
        >>> keras.layers.Identity()(keras.Input((3,))).shape
        (None, 3)
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Returns the inputs."""
        return inputs
