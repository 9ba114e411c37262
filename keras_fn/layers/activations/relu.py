"""Activations with arguments, as layers. Those without are `Activation("name")`."""

from typing import Any

from keras_fn import activations
from keras_fn.layers._arguments import _at_least_zero
from keras_fn.layers.layer import Layer


class ReLU(Layer):
    """`x` above `threshold`, `negative_slope * (x - threshold)` below it, at most `max_value`.

    Args:
        max_value: The largest result, or None.
        negative_slope: Slope below the threshold.
        threshold: Where the slope changes.

    Input: a tensor of any shape. Output: a tensor of the same shape.

    Raises:
        ValueError: An argument is less than 0.

    Example:
        >>> y = keras.layers.ReLU(max_value=6)(np.array([-1.0, 2.0, 9.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [0.0, 2.0, 6.0]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.max_value = _at_least_zero(self, "max_value", max_value, none=True)
        self.negative_slope = _at_least_zero(self, "negative_slope", negative_slope)
        self.threshold = _at_least_zero(self, "threshold", threshold)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Returns the activation of the inputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)
