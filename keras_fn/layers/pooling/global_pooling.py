"""Pooling over all positions: one number a channel."""

from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import makes_none
from keras_fn.layers.layer import Layer
from keras_fn.ops.binary import divide, where
from keras_fn.ops.core import cast
from keras_fn.ops.reductions import max, mean, sum
from keras_fn.ops.shapes import expand_dims
from keras_fn.settings import standardize_data_format


class GlobalPooling(Layer):
    """Base of the layers that make one number of each channel.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        keepdims: Whether the pooled axes stay, with size 1.

    Input: a tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
    Output: a tensor of shape `(batch, channels)`; with `keepdims`, of the rank of the input.
    """

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _GlobalMax(GlobalPooling):
    def call(self, inputs: Any) -> Any:
        """Returns the largest element of each channel."""
        return max(inputs, self._axes, self.keepdims)


class _GlobalAverage(GlobalPooling):
    def call(self, inputs: Any) -> Any:
        """Returns the mean of each channel."""
        return mean(inputs, self._axes, self.keepdims)


class GlobalMaxPooling1D(_GlobalMax):
    """The largest element of each channel along one axis. For the arguments see `GlobalPooling`.

    Example:
        >>> keras.layers.GlobalMaxPooling1D()(keras.Input((None, 4))).shape
        (None, 4)
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """The largest element of each channel along two axes. For the arguments see `GlobalPooling`.

    Example:
        >>> keras.layers.GlobalMaxPooling2D(keepdims=True)(keras.Input((8, 8, 4))).shape
        (None, 1, 1, 4)
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """The largest element of each channel along three axes. For the arguments see `GlobalPooling`.

    Example:
        >>> keras.layers.GlobalMaxPooling3D()(keras.Input((8, 8, 8, 4))).shape
        (None, 4)
    """

    rank = 3


class GlobalAveragePooling1D(_GlobalAverage):
    """The mean of each channel along one axis; steps that a mask hides do not count.

    For the arguments see `GlobalPooling`.

    Example:
        >>> x = keras.layers.Masking()(np.array([[[2.0], [4.0], [0.0]]], "float32"))
        >>> convert_to_numpy(keras.layers.GlobalAveragePooling1D()(x)).tolist()
        [[3.0]]
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the mean of each channel, over the steps that `mask` lets count."""
        if mask is None:
            return super().call(inputs)
        counted = expand_dims(cast(mask, "bool"), 2 if self._axes == (1,) else 1)
        total = sum(where(counted, inputs, 0), self._axes, self.keepdims)
        return divide(total, sum(cast(counted, inputs.dtype), self._axes, self.keepdims))

    @makes_none
    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Returns None: the masked axis is gone."""
        return None


class GlobalAveragePooling2D(_GlobalAverage):
    """The mean of each channel along two axes. For the arguments see `GlobalPooling`.

    Example:
        >>> keras.layers.GlobalAveragePooling2D()(keras.Input((8, 8, 4))).shape
        (None, 4)
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """The mean of each channel along three axes. For the arguments see `GlobalPooling`.

    Example:
        >>> keras.layers.GlobalAveragePooling3D()(keras.Input((8, 8, 8, 4))).shape
        (None, 4)
    """

    rank = 3
