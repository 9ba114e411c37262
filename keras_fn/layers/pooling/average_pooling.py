"""Pooling over windows: the largest element of each, or the mean."""

from keras_fn.layers.pooling.base_pooling import Pooling
from keras_fn.ops.pooling import average_pool


class AveragePooling(Pooling):
    """The mean of each window, channel by channel; padding does not count.

    Args:
        pool_size: Sizes of the window: an integer, or one for each axis.
        strides: Steps of the window, likewise; its sizes by default.
        padding: `"valid"` for windows inside the input only, `"same"` for as many windows as
            steps.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        name: The name of the layer. Unique by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or with the channels before the
        sizes.

    Output shape:
        A tensor of the same layout and channels.

    Raises:
        ValueError: Arguments that cannot be used, or an input smaller than the window.
    """

    _pool = staticmethod(average_pool)


class AveragePooling1D(AveragePooling):
    """The mean of each window along one axis. For the arguments see `AveragePooling`.

    Example:
        >>> keras.layers.AveragePooling1D(3, strides=1, padding="same")(keras.Input((9, 4))).shape
        (None, 9, 4)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """The mean of each window along two axes. For the arguments see `AveragePooling`.

    Example:
        >>> keras.layers.AveragePooling2D(2)(keras.Input((28, 28, 4))).shape
        (None, 14, 14, 4)
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """The mean of each window along three axes. For the arguments see `AveragePooling`.

    Example:
        >>> keras.layers.AveragePooling3D(2)(keras.Input((8, 8, 8, 4))).shape
        (None, 4, 4, 4, 4)
    """

    rank = 3
