"""Dropout for self-normalizing networks."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._arguments import fraction
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.regularization.dropout import _noise_shape
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.logic import greater_equal, where
from keras_fn.random import SeedGenerator, uniform
from keras_fn.types import Tensor

# The limit of SELU for large negative inputs: the value of dropped elements.
_SATURATION = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Layer):
    """Alpha dropout: dropout that keeps the mean and variance of self-normalizing networks.

    In training, dropped elements become the value at which SELU saturates, and an affine map
    restores mean and variance.

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
        >>> keras.layers.AlphaDropout(0.1)(keras.Input((3,))).shape
        (None, 3)

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", 2017.
        https://arxiv.org/abs/1706.02515
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
            # The affine map that restores mean 0 and variance 1.
            spread = (1 - rate) * (1 + rate * _SATURATION**2)
            self._factor = spread**-0.5 if spread else 0.0
            self._shift = -self._factor * _SATURATION * rate

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the inputs, in training with dropout."""
        if not training or self.rate == 0:
            return inputs
        sizes = shape_of(inputs)
        if self.noise_shape is not None:
            sizes = [s if n is None else n for n, s in zip(self.noise_shape, sizes, strict=True)]
        kept = greater_equal(uniform(sizes, seed=self.seed_generator), self.rate)
        return add(multiply(where(kept, inputs, _SATURATION), self._factor), self._shift)
