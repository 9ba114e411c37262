"""Layers that drop elements in training."""

from typing import Any, Unpack

from keras_fn.layers._arguments import fraction
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.regularization.dropout import _noise_shape
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.logic import greater_equal, where
from keras_fn.random import SeedGenerator, uniform
from keras_fn.types import Tensor

# What SELU tends to far below 0: the value that dropped elements get.
_SATURATION = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Layer):
    """Dropout that keeps mean and variance: dropped elements become what SELU saturates at.

    Args:
        rate: The probability of an element to be dropped, from 0 to 1.
        noise_shape: Shape of the mask, which broadcasts: 1 where elements share their fate along
            an axis, None for the input's size.
        seed: An integer, for the same masks in every run.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to 1, or `noise_shape` is no shape.

    Example:
        >>> keras.layers.AlphaDropout(0.1)(keras.Input((3,))).shape
        (None, 3)

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", 2017.
        https://arxiv.org/abs/1706.02515
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
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
            # The affine map that brings mean and variance back to 0 and 1.
            spread = (1 - rate) * (1 + rate * _SATURATION**2)
            self._factor = spread**-0.5 if spread else 0.0
            self._shift = -self._factor * _SATURATION * rate

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the inputs; in training with some elements dropped."""
        if not training or self.rate == 0:
            return inputs
        sizes = shape_of(inputs)
        if self.noise_shape is not None:
            sizes = [s if n is None else n for n, s in zip(self.noise_shape, sizes, strict=True)]
        kept = greater_equal(uniform(sizes, seed=self.seed_generator), self.rate)
        return add(multiply(where(kept, inputs, _SATURATION), self._factor), self._shift)
