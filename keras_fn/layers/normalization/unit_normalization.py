"""Normalization to unit length."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.normalization.layer_normalization import _checked_axis
from keras_fn.ops.normalization import normalize
from keras_fn.types import Tensor


class UnitNormalization(Layer):
    """Unit normalization: divides each sample by its L2 norm along `axis`.

    Args:
        axis: The axis of the norm, or several.

    Input shape:
        A tensor of floats of any rank.

    Output shape:
        A tensor of the same shape.

    Raises:
        TypeError: `axis` is neither an integer nor a list of them.

    Example:
        >>> y = keras.layers.UnitNormalization()(np.array([[0.0, -2.0]], "float32"))
        >>> convert_to_numpy(y).round(2).tolist()
        [[0.0, -1.0]]
    """

    _has_nothing_to_build = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.axis = _checked_axis(self, axis)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the normalized inputs."""
        return normalize(inputs, self.axis, epsilon=1e-12)
