"""An activation function as a layer."""

from typing import Unpack

from keras_fn import activations
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.types import ActivationLike, Tensor


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: The activation function, or its name.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Example:
        >>> y = keras.layers.Activation("relu")(np.array([-1.0, 2.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [0.0, 2.0]
    """

    _has_nothing_to_build = True

    def __init__(self, activation: ActivationLike | None, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the activation of the inputs."""
        return inputs if self.activation is None else self.activation(inputs)
