"""Activations with arguments, as layers. Those without are `Activation("name")`."""

from typing import Any

from keras_fn.layers._arguments import _at_least_zero
from keras_fn.layers.layer import Layer
from keras_fn.ops.activations import leaky_relu


class LeakyReLU(Layer):
    """`x` where positive, else `negative_slope * x`.

    Args:
        negative_slope: Slope below 0.

    Input: a tensor of any shape. Output: a tensor of the same shape.

    Raises:
        ValueError: `negative_slope` is less than 0.

    Example:
        >>> y = keras.layers.LeakyReLU(0.5)(np.array([-1.0, 2.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [-0.5, 2.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        negative_slope = kwargs.pop("alpha", negative_slope)  # its name in Keras 2
        super().__init__(**kwargs)
        self.negative_slope = _at_least_zero(self, "negative_slope", negative_slope)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Returns the activation of the inputs."""
        return leaky_relu(inputs, self.negative_slope)
