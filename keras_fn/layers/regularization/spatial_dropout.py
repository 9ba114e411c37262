"""Dropout of whole channels."""

from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.layers.regularization.dropout import Dropout
from keras_fn.settings import standardize_data_format
from keras_fn.types import DTypeLike


class SpatialDropout(Dropout):
    """Spatial dropout: in training, drops whole channels.

    Neighboring elements of a channel are correlated, so dropping single ones has little effect.
    """

    rank: int

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        data_format = standardize_data_format(data_format)
        ones = (1,) * self.rank
        last = data_format == "channels_last"
        noise_shape = (None, *ones, None) if last else (None, None, *ones)
        super().__init__(rate, noise_shape, seed, name=name, dtype=dtype)
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        config = super().get_config()
        del config["trainable"]
        return config


class SpatialDropout1D(SpatialDropout):
    """1D spatial dropout layer: drops whole features of sequences in training.

    Args:
        rate: Fraction of the channels to drop, from 0 to 1.
        seed: An integer, for reproducible masks.
        name: The name of the layer. Unique by default.
        dtype: The dtype or dtype policy of the layer. The global policy by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2014.
        https://arxiv.org/abs/1411.4280

    Example:
        >>> keras.layers.SpatialDropout1D(0.5)(keras.Input((10, 4))).shape
        (None, 10, 4)
    """

    rank = 1

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(SpatialDropout):
    """2D spatial dropout layer: drops whole channels of images in training.

    Args:
        rate: Fraction of the channels to drop, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        seed: An integer, for reproducible masks.
        name: The name of the layer. Unique by default.
        dtype: The dtype or dtype policy of the layer. The global policy by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2014.
        https://arxiv.org/abs/1411.4280

    Example:
        >>> keras.layers.SpatialDropout2D(0.5)(keras.Input((8, 8, 4))).shape
        (None, 8, 8, 4)
    """

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """3D spatial dropout layer: drops whole channels of volumes in training.

    Args:
        rate: Fraction of the channels to drop, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        seed: An integer, for reproducible masks.
        name: The name of the layer. Unique by default.
        dtype: The dtype or dtype policy of the layer. The global policy by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2014.
        https://arxiv.org/abs/1411.4280

    Example:
        >>> keras.layers.SpatialDropout3D(0.5)(keras.Input((8, 8, 8, 4))).shape
        (None, 8, 8, 8, 4)
    """

    rank = 3
