"""Masks from values."""

from typing import Any

from keras_fn.core.serialization import deserialize_keras_object
from keras_fn.layers.layer import Layer
from keras_fn.ops.logic import any as any_
from keras_fn.ops.logic import not_equal, where


class Masking(Layer):
    """Masks the steps whose features all are `mask_value`, and sets them to 0.

    Args:
        mask_value: The value.

    Input: a tensor of shape `(batch, steps, features)`, or of any rank. Output: likewise, with
    a mask.

    Example:
        >>> y = keras.layers.Masking()(np.array([[[1.0], [0.0]]], "float32"))
        >>> convert_to_numpy(keras.layers.GlobalAveragePooling1D()(y)).tolist()
        [[1.0]]
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = deserialize_keras_object(mask_value)
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the steps that have another value."""
        return any_(not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """Returns the inputs with the masked steps set to 0."""
        kept = any_(not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return where(kept, inputs, 0)
