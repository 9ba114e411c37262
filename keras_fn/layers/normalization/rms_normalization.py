"""Normalisation of each sample by itself."""

from typing import Any, Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.normalization.layer_normalization import _checked_axis, _sizes
from keras_fn.ops.normalization import rms_normalization
from keras_fn.types import Shape, Tensor


class RMSNormalization(Layer):
    """Divides each sample by the root of its mean square along `axis`, then scales it.

    Args:
        axis: The axis that is normalised, or several.
        epsilon: Added to the mean square.

    Input shape:
        A tensor of floats of any rank.

    Output shape:
        A tensor of the same shape.

    Raises:
        TypeError: `axis` is neither an integer nor a list of them.

    Example:
        >>> y = keras.layers.RMSNormalization()(np.array([[2.0, -2.0]], "float32"))
        >>> convert_to_numpy(y).round(2).tolist()
        [[1.0, -1.0]]

    References:
        Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
        https://arxiv.org/abs/1910.07467
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.axis = _checked_axis(self, axis)
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        """Makes the scale."""
        self.scale = self.add_weight(_sizes(self, input_shape), "ones", name="scale")

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the normalised inputs."""
        return rms_normalization(inputs, self.scale, self.axis, self.epsilon)
