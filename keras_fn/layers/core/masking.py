"""Masking of time steps by their value."""

from typing import Unpack

from keras_fn.core.serialization import deserialize_keras_object
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.logic import any as any_, not_equal, where
from keras_fn.types import Nested, Tensor, TensorLike


class Masking(Layer):
    """Masks time steps whose features all equal `mask_value`, and sets them to 0.

    Args:
        mask_value: The value of masked time steps.

    Input shape:
        A tensor of shape `(batch, time, features)`, or of any rank.

    Output shape:
        A tensor of the same shape, with a mask.

    Example:
        >>> y = keras.layers.Masking()(np.array([[[1.0], [0.0]]], "float32"))
        >>> convert_to_numpy(keras.layers.GlobalAveragePooling1D()(y)).tolist()
        [[1.0]]
    """

    _has_nothing_to_build = True

    def __init__(self, mask_value: TensorLike = 0.0, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.mask_value = deserialize_keras_object(mask_value)
        self.supports_masking = True

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        """Returns a mask that is False where all features equal `mask_value`."""
        return any_(not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the inputs with the masked steps set to 0."""
        kept = any_(not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return where(kept, inputs, 0)
