"""Pooling over windows: the largest element of each, or the mean."""

from typing import Any, Unpack

from keras_fn.layers._options import UnnamedLayerOptions
from keras_fn.layers.pooling.base_pooling import Pooling
from keras_fn.ops.pooling import max_pool


class MaxPooling(Pooling):
    """The largest element of each window, channel by channel.

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

    _pool = staticmethod(max_pool)

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedLayerOptions],
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling1D(MaxPooling):
    """The largest element of each window along one axis. For the arguments see `MaxPooling`.

    Example:
        >>> y = keras.layers.MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]], "float32"))
        >>> convert_to_numpy(y).tolist()
        [[[3.0], [2.0]]]
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest element of each window along two axes. For the arguments see `MaxPooling`.

    Example:
        >>> keras.layers.MaxPooling2D(3)(keras.Input((28, 28, 4))).shape
        (None, 9, 9, 4)
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest element of each window along three axes. For the arguments see `MaxPooling`.

    Example:
        >>> keras.layers.MaxPooling3D()(keras.Input((8, 8, 8, 4))).shape
        (None, 4, 4, 4, 4)
    """

    rank = 3
