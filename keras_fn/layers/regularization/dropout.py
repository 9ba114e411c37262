"""Layers that drop elements in training."""

from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.layers._arguments import is_count, misfit, share
from keras_fn.layers.layer import Layer
from keras_fn.ops.binary import add, greater_equal, multiply, where
from keras_fn.ops.core import shape as shape_of
from keras_fn.random import SeedGenerator, dropout, uniform
from keras_fn.settings import standardize_data_format


class Dropout(Layer):
    """In training, sets elements to 0 at random and scales the others by `1 / (1 - rate)`.

    Args:
        rate: The probability of an element to become 0, from 0 to 1.
        noise_shape: Shape of the mask, which broadcasts: 1 where elements share their fate along
            an axis, None for the input's size.
        seed: An integer, for the same masks in every run.

    Input: a tensor of any shape. Output: a tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to 1, or `noise_shape` is no shape.

    Example:
        >>> x = np.ones((1, 3), "float32")
        >>> convert_to_numpy(keras.layers.Dropout(0.5)(x)).tolist()  # nothing, unless in training
        [[1.0, 1.0, 1.0]]

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014.
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.rate = share(self, "rate", rate)
        self.noise_shape = _noise_shape(self, noise_shape)
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs; in training with some elements dropped."""
        if not training or self.rate == 0:
            return inputs
        return dropout(inputs, self.rate, self.noise_shape, self.seed_generator)


def _noise_shape(layer: Layer, shape: Any) -> tuple[int | None, ...] | None:
    if shape is None:
        return None
    if not isinstance(shape, (list, tuple)) or not all(n is None or is_count(n) for n in shape):
        raise misfit(
            layer, "noise_shape", "a tuple of positive integers and None", shape,
            "for example noise_shape=(None, 1, None)",
        )  # fmt: skip
    return tuple(shape)


class SpatialDropout(Dropout):
    """Drops whole channels in training: neighbours are alike, so one would stand for the other.

    Args:
        rate: The probability of a channel to become 0, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        seed: An integer, for the same masks in every run.
        name: A name; automatic by default.
        dtype: A dtype or dtype policy; the global policy by default.

    Input: a tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
    Output: a tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2014.
        https://arxiv.org/abs/1411.4280
    """

    rank: int

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        data_format = standardize_data_format(data_format)
        ones = (1,) * self.rank
        last = data_format == "channels_last"
        noise_shape = (None, *ones, None) if last else (None, None, *ones)
        super().__init__(rate, noise_shape, seed, name=name, dtype=dtype)
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config = super().get_config()
        del config["trainable"]
        return config


class SpatialDropout1D(SpatialDropout):
    """Drops whole features of a sequence in training. For the arguments see `SpatialDropout`; it
    takes no `data_format`: the features are last.

    Example:
        >>> keras.layers.SpatialDropout1D(0.5)(keras.Input((10, 4))).shape
        (None, 10, 4)
    """

    rank = 1

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None
    ):
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of images in training. For the arguments see `SpatialDropout`.

    Example:
        >>> keras.layers.SpatialDropout2D(0.5)(keras.Input((8, 8, 4))).shape
        (None, 8, 8, 4)
    """

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of volumes in training. For the arguments see `SpatialDropout`.

    Example:
        >>> keras.layers.SpatialDropout3D(0.5)(keras.Input((8, 8, 8, 4))).shape
        (None, 8, 8, 8, 4)
    """

    rank = 3


# What SELU tends to far below 0: the value that dropped elements get.
_SATURATION = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Layer):
    """Dropout that keeps mean and variance: dropped elements become what SELU saturates at.

    Args:
        rate: The probability of an element to be dropped, from 0 to 1.
        noise_shape: Shape of the mask, which broadcasts: 1 where elements share their fate along
            an axis, None for the input's size.
        seed: An integer, for the same masks in every run.

    Input: a tensor of any shape. Output: a tensor of the same shape.

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
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.rate = share(self, "rate", rate)
        self.noise_shape = _noise_shape(self, noise_shape)
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
            # The affine map that brings mean and variance back to 0 and 1.
            spread = (1 - rate) * (1 + rate * _SATURATION**2)
            self._factor = spread**-0.5 if spread else 0.0
            self._shift = -self._factor * _SATURATION * rate

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs; in training with some elements dropped."""
        if not training or self.rate == 0:
            return inputs
        sizes = shape_of(inputs)
        if self.noise_shape is not None:
            sizes = [s if n is None else n for n, s in zip(self.noise_shape, sizes, strict=True)]
        kept = greater_equal(uniform(sizes, seed=self.seed_generator), self.rate)
        return add(multiply(where(kept, inputs, _SATURATION), self._factor), self._shift)
