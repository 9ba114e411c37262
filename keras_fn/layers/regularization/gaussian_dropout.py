"""Multiplicative Gaussian noise."""

from typing import Unpack

from keras_fn.layers._arguments import argument_error, fraction
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.core import shape as shape_of
from keras_fn.random import SeedGenerator, normal
from keras_fn.types import Tensor


class GaussianDropout(Layer):
    """Gaussian dropout: in training, multiplies by normal noise.

    The noise has mean 1 and variance `rate / (1 - rate)`, the same as dropout.

    Args:
        rate: The equivalent dropout rate, from 0 to less than 1.
        seed: An integer, for reproducible noise.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to less than 1.

    Example:
        >>> convert_to_numpy(keras.layers.GaussianDropout(0.1)(np.ones((1, 2), "float32"))).tolist()
        [[1.0, 1.0]]

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014, section 10.
    """

    _has_nothing_to_build = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.rate = fraction(self, "rate", rate)
        if rate == 1:
            expected = "less than 1, at which the variance is infinite"
            raise argument_error(self, "rate", expected, rate, "for example rate=0.5")
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
            self._stddev = (rate / (1.0 - rate)) ** 0.5

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the inputs, in training multiplied by noise."""
        if not training or self.rate == 0:
            return inputs
        noise = normal(shape_of(inputs), 1.0, self._stddev, self.compute_dtype, self.seed_generator)
        return multiply(inputs, noise)
