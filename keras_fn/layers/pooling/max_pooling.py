"""Max pooling layers over 1, 2 or 3 spatial axes."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._options import UnnamedLayerOptions
from keras_fn.layers.pooling.base_pooling import Pooling
from keras_fn.ops.pooling import max_pool


class MaxPooling(Pooling):
    """Max pooling: the maximum of each window, for each channel."""

    _pool = staticmethod(max_pool)

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedLayerOptions],
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling1D(MaxPooling):
    """1D max pooling layer, for sequences.

    Args:
        pool_size: Size of the pooling window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis. `pool_size` by default.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        name: The name of the layer. Unique by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format and number of channels.

    Raises:
        ValueError: An argument is invalid, or the input is smaller than the window.

    Example:
        >>> y = keras.layers.MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]], "float32"))
        >>> convert_to_numpy(y).tolist()
        [[[3.0], [2.0]]]
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """2D max pooling layer, for images.

    Args:
        pool_size: Size of the pooling window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis. `pool_size` by default.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        name: The name of the layer. Unique by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format and number of channels.

    Raises:
        ValueError: An argument is invalid, or the input is smaller than the window.

    Example:
        >>> keras.layers.MaxPooling2D(3)(keras.Input((28, 28, 4))).shape
        (None, 9, 9, 4)
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """3D max pooling layer, for volumes.

    Args:
        pool_size: Size of the pooling window: an integer, or one for each axis.
        strides: Strides of the window: an integer, or one for each axis. `pool_size` by default.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        name: The name of the layer. Unique by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format and number of channels.

    Raises:
        ValueError: An argument is invalid, or the input is smaller than the window.

    Example:
        >>> keras.layers.MaxPooling3D()(keras.Input((8, 8, 8, 4))).shape
        (None, 4, 4, 4, 4)
    """

    rank = 3
