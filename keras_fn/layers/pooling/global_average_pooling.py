"""Global average pooling layers over 1, 2 or 3 spatial axes."""

from typing import Unpack

from keras_fn.core.dtypes import mean_accumulator_type
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.pooling.base_global_pooling import GlobalPooling
from keras_fn.ops.arithmetic import divide
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.logic import where
from keras_fn.ops.manipulation import expand_dims
from keras_fn.ops.reductions import mean, sum
from keras_fn.types import Tensor


class _GlobalAverage(GlobalPooling):
    def call(self, inputs: Tensor) -> Tensor:
        """Returns the mean of each channel."""
        return mean(inputs, self._axes, self.keepdims)


class GlobalAveragePooling1D(_GlobalAverage):
    """1D global average pooling layer: the mean over time, without masked steps.

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
    >>> x = keras.layers.Masking()(np.array([[[2.0], [4.0], [0.0]]], "float32"))
    >>> convert_to_numpy(keras.layers.GlobalAveragePooling1D()(x)).tolist()
    [[3.0]]
    """

    rank = 1

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[LayerOptions]
    ):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the mean of each channel, over the steps that are not masked."""
        if mask is None:
            return super().call(inputs)
        counted = expand_dims(cast(mask, "bool"), 2 if self._axes == (1,) else 1)
        dtype = dtype_of(inputs)
        accumulator = mean_accumulator_type(dtype)
        total = sum(where(counted, cast(inputs, accumulator), 0), self._axes, self.keepdims)
        mean = divide(total, sum(cast(counted, accumulator), self._axes, self.keepdims))
        return mean if accumulator == dtype else cast(mean, dtype)


class GlobalAveragePooling2D(_GlobalAverage):
    """2D global average pooling layer: the mean over height and width.

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
        >>> keras.layers.GlobalAveragePooling2D()(keras.Input((8, 8, 4))).shape
        (None, 4)
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """3D global average pooling layer: the mean over all spatial axes.

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
        >>> keras.layers.GlobalAveragePooling3D()(keras.Input((8, 8, 8, 4))).shape
        (None, 4)
    """

    rank = 3
