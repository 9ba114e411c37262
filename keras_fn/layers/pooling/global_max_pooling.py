"""Global max pooling layers over 1, 2 or 3 spatial axes."""

from keras_fn.layers._docstrings import inherit_sections
from keras_fn.layers.pooling.base_global_pooling import GlobalPooling
from keras_fn.ops.reductions import max
from keras_fn.types import Tensor


class _GlobalMax(GlobalPooling):
    def call(self, inputs: Tensor) -> Tensor:
        """Returns the maximum of each channel."""
        return max(inputs, self._axes, self.keepdims)


@inherit_sections
class GlobalMaxPooling1D(_GlobalMax):
    """1D global max pooling layer: the maximum over time.

    Example:
        >>> keras.layers.GlobalMaxPooling1D()(keras.Input((None, 4))).shape
        (None, 4)
    """

    rank = 1


@inherit_sections
class GlobalMaxPooling2D(_GlobalMax):
    """2D global max pooling layer: the maximum over height and width.

    Example:
        >>> keras.layers.GlobalMaxPooling2D(keepdims=True)(keras.Input((8, 8, 4))).shape
        (None, 1, 1, 4)
    """

    rank = 2


@inherit_sections
class GlobalMaxPooling3D(_GlobalMax):
    """3D global max pooling layer: the maximum over all spatial axes.

    Example:
        >>> keras.layers.GlobalMaxPooling3D()(keras.Input((8, 8, 8, 4))).shape
        (None, 4)
    """

    rank = 3
