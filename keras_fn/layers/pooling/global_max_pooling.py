"""Global max pooling layers over 1, 2 or 3 spatial axes."""

from keras_fn.layers.pooling.base_global_pooling import GlobalPooling
from keras_fn.ops.reductions import max
from keras_fn.types import Tensor


class _GlobalMax(GlobalPooling):
    def call(self, inputs: Tensor) -> Tensor:
        """Returns the maximum of each channel."""
        return max(inputs, self._axes, self.keepdims)


class GlobalMaxPooling1D(_GlobalMax):
    """1D global max pooling layer: the maximum over time.

    Args:
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        keepdims: Whether to keep the pooled axes, with size 1.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of shape `(batch, channels)`; with `keepdims`, of the same rank as the input.

    Example:
        >>> keras.layers.GlobalMaxPooling1D()(keras.Input((None, 4))).shape
        (None, 4)
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """2D global max pooling layer: the maximum over height and width.

    Args:
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        keepdims: Whether to keep the pooled axes, with size 1.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of shape `(batch, channels)`; with `keepdims`, of the same rank as the input.

    Example:
        >>> keras.layers.GlobalMaxPooling2D(keepdims=True)(keras.Input((8, 8, 4))).shape
        (None, 1, 1, 4)
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """3D global max pooling layer: the maximum over all spatial axes.

    Args:
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        keepdims: Whether to keep the pooled axes, with size 1.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of shape `(batch, channels)`; with `keepdims`, of the same rank as the input.

    Example:
        >>> keras.layers.GlobalMaxPooling3D()(keras.Input((8, 8, 8, 4))).shape
        (None, 4)
    """

    rank = 3
