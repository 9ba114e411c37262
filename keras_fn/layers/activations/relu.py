"""The rectified linear unit (ReLU)."""

from typing import Unpack

from keras_fn import activations
from keras_fn.layers._arguments import nonnegative_number
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.types import Tensor


class ReLU(Layer):
    """Rectified linear unit, with an optional slope, threshold and maximum.

    `x` above `threshold`, `negative_slope * (x - threshold)` below it, at most `max_value`.

    Args:
        max_value: The largest result, or None.
        negative_slope: Slope below the threshold.
        threshold: Where the slope changes.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: An argument is less than 0.

    Example:
        >>> y = keras.layers.ReLU(max_value=6)(np.array([-1.0, 2.0, 9.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [0.0, 2.0, 6.0]
    """

    _has_nothing_to_build = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.max_value = nonnegative_number(self, "max_value", max_value, optional=True)
        self.negative_slope = nonnegative_number(self, "negative_slope", negative_slope)
        self.threshold = nonnegative_number(self, "threshold", threshold)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the activation of the inputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)
