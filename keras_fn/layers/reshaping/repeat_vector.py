"""Repetition of vectors along a time axis."""

from typing import Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._arguments import positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.manipulation import expand_dims, repeat
from keras_fn.types import Tensor


class RepeatVector(Layer):
    """Repeats each vector `n` times along a new time axis.

    Args:
        n: Number of repetitions.

    Input shape:
        A tensor of shape `(batch, features)`.

    Output shape:
        `(batch, n, features)`.

    Raises:
        ValueError: `n` is not a positive integer.

    Example:
        >>> keras.layers.RepeatVector(3)(keras.Input((32,))).shape
        (None, 3, 32)
    """

    compute_mask = drop_mask

    def __init__(self, n: int, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.n = positive_int(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the repeated vectors."""
        return repeat(expand_dims(inputs, 1), self.n, axis=1)
