"""Layers that drop elements in training."""

from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.layers.regularization.dropout import Dropout
from keras_fn.settings import standardize_data_format


class SpatialDropout(Dropout):
    """Drops whole channels in training: neighbours are alike, so one would stand for the other.

    Args:
        rate: The probability of a channel to become 0, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        seed: An integer, for the same masks in every run.
        name: The name of the layer. Unique by default.
        dtype: A dtype or dtype policy; the global policy by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or with the channels before the
        sizes.

    Output shape:
        A tensor of the same shape.

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
