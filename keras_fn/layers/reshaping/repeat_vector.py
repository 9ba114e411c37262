"""Layers that give the elements of each sample another order or shape."""

from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.layers._arguments import count
from keras_fn.layers.layer import Layer
from keras_fn.ops.manipulation import expand_dims, repeat


class RepeatVector(Layer):
    """Repeats each vector: a sequence of `n` equal steps.

    Args:
        n: How often.

    Input: a tensor of shape `(batch, features)`. Output: `(batch, n, features)`.

    Raises:
        ValueError: `n` is no positive integer.

    Example:
        >>> keras.layers.RepeatVector(3)(keras.Input((32,))).shape
        (None, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = count(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """Returns the sequences."""
        return repeat(expand_dims(inputs, 1), self.n, axis=1)
