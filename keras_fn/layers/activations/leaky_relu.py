"""The leaky rectified linear unit."""

from typing import Any, Unpack, cast

from keras_fn.layers._arguments import nonnegative_number
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.activations import leaky_relu
from keras_fn.types import Tensor


class LeakyReLU(Layer):
    """Leaky rectified linear unit: `x` where positive, else `negative_slope * x`.

    Args:
        negative_slope: Slope below 0.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `negative_slope` is less than 0.

    Example:
        >>> y = keras.layers.LeakyReLU(0.5)(np.array([-1.0, 2.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [-0.5, 2.0]
    """

    _has_nothing_to_build = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Unpack[LayerOptions]):
        negative_slope = cast(Any, kwargs).pop("alpha", negative_slope)  # its name in Keras 2
        super().__init__(**kwargs)
        self.negative_slope = nonnegative_number(self, "negative_slope", negative_slope)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the activation of the inputs."""
        return leaky_relu(inputs, self.negative_slope)
