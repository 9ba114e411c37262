"""Layers that add or multiply noise in training."""

from typing import Any

from keras_fn.layers._arguments import misfit, share
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.core import shape as shape_of
from keras_fn.random import SeedGenerator, normal


class GaussianDropout(Layer):
    """In training, multiplies by normal noise of mean 1 and variance `rate / (1 - rate)`.

    Args:
        rate: As of `Dropout`, whose mean and variance it has; from 0 to less than 1.
        seed: An integer, for the same noise in every run.

    Input: a tensor of any shape. Output: a tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to less than 1.

    Example:
        >>> convert_to_numpy(keras.layers.GaussianDropout(0.1)(np.ones((1, 2), "float32"))).tolist()
        [[1.0, 1.0]]

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014, section 10.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = share(self, "rate", rate)
        if rate == 1:
            expected = "less than 1, where the noise has no bounds"
            raise misfit(self, "rate", expected, rate, "for example rate=0.5")
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
            self._stddev = (rate / (1.0 - rate)) ** 0.5

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs; in training multiplied by noise."""
        if not training or self.rate == 0:
            return inputs
        noise = normal(shape_of(inputs), 1.0, self._stddev, self.compute_dtype, self.seed_generator)
        return multiply(inputs, noise)
