"""A function as a layer."""

from typing import Any

from keras_fn import activations
from keras_fn.layers.layer import Layer


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: The function, or its name.

    Input: a tensor of any shape. Output: a tensor of the same shape.

    Example:
        >>> y = keras.layers.Activation("relu")(np.array([-1.0, 2.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Returns the activation of the inputs."""
        return self.activation(inputs)
