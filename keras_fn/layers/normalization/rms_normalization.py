"""Root mean square (RMS) normalization."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.normalization.layer_normalization import _checked_axis, _sizes
from keras_fn.ops.normalization import rms_normalization
from keras_fn.types import Shape, Tensor


class RMSNormalization(Layer):
    """Root mean square normalization: divides each sample by its RMS along `axis`.

    The result is scaled by a trainable weight.

    Args:
        axis: The axis to normalize, or several.
        epsilon: A small number that is added to the mean square.

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

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Unpack[LayerOptions]
    ):
        super().__init__(**kwargs)
        self.axis = _checked_axis(self, axis)
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        """Creates the scale."""
        self.scale = self.add_weight(_sizes(self, input_shape), "ones", name="scale")

    def call(self, x: Tensor) -> Tensor:
        """Returns the normalized inputs."""
        return rms_normalization(x, self.scale, self.axis, self.epsilon)
