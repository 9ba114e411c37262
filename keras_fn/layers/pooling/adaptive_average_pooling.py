"""Adaptive average pooling layers over 1, 2 or 3 spatial axes."""

from keras_fn.layers.pooling.base_adaptive_pooling import AdaptivePooling
from keras_fn.ops.pooling import adaptive_average_pool


class AdaptiveAveragePooling(AdaptivePooling):
    """Adaptive average pooling: the mean of each window, for each channel."""

    _pool = staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """1D adaptive average pooling layer, for sequences.

    Along an axis of size n, window i of m ranges from `floor(i * n / m)` to
    `ceil((i + 1) * n / m)`: adjacent windows overlap where m does not divide n.

    Args:
        output_size: Spatial sizes of the output: an integer, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format and number of channels, with spatial sizes `output_size`.

    Raises:
        ValueError: An argument is invalid, or a spatial size of the input is 0.

    Example:
        >>> x = np.arange(5, dtype="float32").reshape(1, 5, 1)
        >>> convert_to_numpy(keras.layers.AdaptiveAveragePooling1D(3)(x)).ravel().tolist()
        [0.5, 2.0, 3.5]
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """2D adaptive average pooling layer, for images.

    Along an axis of size n, window i of m ranges from `floor(i * n / m)` to
    `ceil((i + 1) * n / m)`: adjacent windows overlap where m does not divide n.

    Args:
        output_size: Spatial sizes of the output: an integer, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format and number of channels, with spatial sizes `output_size`.

    Raises:
        ValueError: An argument is invalid, or a spatial size of the input is 0.

    Example:
        >>> keras.layers.AdaptiveAveragePooling2D((7, 5))(keras.Input((None, None, 4))).shape
        (None, 7, 5, 4)
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """3D adaptive average pooling layer, for volumes.

    Along an axis of size n, window i of m ranges from `floor(i * n / m)` to
    `ceil((i + 1) * n / m)`: adjacent windows overlap where m does not divide n.

    Args:
        output_size: Spatial sizes of the output: an integer, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format and number of channels, with spatial sizes `output_size`.

    Raises:
        ValueError: An argument is invalid, or a spatial size of the input is 0.

    Example:
        >>> keras.layers.AdaptiveAveragePooling3D(2)(keras.Input((9, 8, 7, 4))).shape
        (None, 2, 2, 2, 4)
    """

    rank = 3
