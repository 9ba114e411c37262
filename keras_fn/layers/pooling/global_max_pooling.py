"""Pooling over all positions: one number a channel."""

from keras_fn.layers.pooling.base_global_pooling import GlobalPooling
from keras_fn.ops.reductions import max
from keras_fn.types import Tensor


class _GlobalMax(GlobalPooling):
    def call(self, inputs: Tensor) -> Tensor:
        """Returns the largest element of each channel."""
        return max(inputs, self._axes, self.keepdims)


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
