"""Additive Gaussian noise."""

from typing import Unpack

from keras_fn.layers._arguments import fraction
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import add
from keras_fn.ops.core import shape as shape_of
from keras_fn.random import SeedGenerator, normal
from keras_fn.types import Tensor


class GaussianNoise(Layer):
    """Gaussian noise: in training, adds normal noise of mean 0.

    Args:
        stddev: Standard deviation of the noise, from 0 to 1.
        seed: An integer, for reproducible noise.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `stddev` is not from 0 to 1.

    Example:
        >>> convert_to_numpy(keras.layers.GaussianNoise(0.1)(np.ones((1, 2), "float32"))).tolist()
        [[1.0, 1.0]]
    """

    _has_nothing_to_build = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.stddev = fraction(self, "stddev", stddev)
        self.seed = seed
        self.supports_masking = True
        if stddev > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the inputs, in training with noise."""
        if not training or self.stddev == 0:
            return inputs
        noise = normal(shape_of(inputs), 0.0, self.stddev, self.compute_dtype, self.seed_generator)
        return add(inputs, noise)
