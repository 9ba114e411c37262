"""Dropout."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._arguments import argument_error, fraction, is_int_at_least
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.random import SeedGenerator, dropout
from keras_fn.types import Tensor


class Dropout(Layer):
    """Dropout: in training, sets random elements to 0 and scales the others by `1 / (1 - rate)`.

    Args:
        rate: Fraction of the elements to drop, from 0 to 1.
        noise_shape: Shape of the dropout mask, which broadcasts to the input: 1 for axes along
            which all elements are dropped together, None for the size of the input.
        seed: An integer, for reproducible masks.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to 1, or `noise_shape` is not a shape.

    Example:
        >>> x = np.ones((1, 3), "float32")
        >>> convert_to_numpy(keras.layers.Dropout(0.5)(x)).tolist()  # no effect at inference
        [[1.0, 1.0, 1.0]]

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014.
    """

    _has_nothing_to_build = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.rate = fraction(self, "rate", rate)
        self.noise_shape = _noise_shape(self, noise_shape)
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the inputs, in training with dropout."""
        if not training or self.rate == 0:
            return inputs
        return dropout(inputs, self.rate, self.noise_shape, self.seed_generator)


def _noise_shape(layer: Layer, shape: Any) -> tuple[int | None, ...] | None:
    if shape is None:
        return None
    if not isinstance(shape, (list, tuple)) or not all(
        n is None or is_int_at_least(n) for n in shape
    ):
        raise argument_error(
            layer,
            "noise_shape",
            "a tuple of positive integers and None",
            shape,
            "for example noise_shape=(None, 1, None)",
        )
    return tuple(shape)
