"""Average pooling layers over 1, 2 or 3 spatial axes."""

from keras_fn.layers.pooling.base_pooling import Pooling
from keras_fn.ops.pooling import average_pool


class AveragePooling(Pooling):
    """Average pooling: the mean of each window, for each channel. Padding is not counted."""

    _pool = staticmethod(average_pool)


class AveragePooling1D(AveragePooling):
    """1D average pooling layer, for sequences.

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
        >>> keras.layers.AveragePooling1D(3, strides=1, padding="same")(keras.Input((9, 4))).shape
        (None, 9, 4)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """2D average pooling layer, for images.

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
        >>> keras.layers.AveragePooling2D(2)(keras.Input((28, 28, 4))).shape
        (None, 14, 14, 4)
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """3D average pooling layer, for volumes.

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
        >>> keras.layers.AveragePooling3D(2)(keras.Input((8, 8, 8, 4))).shape
        (None, 4, 4, 4, 4)
    """

    rank = 3
