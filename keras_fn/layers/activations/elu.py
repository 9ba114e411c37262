"""The exponential linear unit (ELU)."""

from typing import Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.activations import elu
from keras_fn.types import Tensor


class ELU(Layer):
    """Exponential linear unit: `x` where positive, else `alpha * (exp(x) - 1)`.

    Args:
        alpha: The limit far below 0, less its sign.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Example:
        >>> y = keras.layers.ELU()(np.array([-100.0, 2.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [-1.0, 2.0]

    References:
        Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units",
        2015. https://arxiv.org/abs/1511.07289
    """

    _has_nothing_to_build = True

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the activation of the inputs."""
        return elu(inputs, self.alpha)
