"""Activations with arguments, as layers. Those without are `Activation("name")`."""

from typing import Any

from keras_fn import activations
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import misfit
from keras_fn.layers.layer import Layer
from keras_fn.ops.binary import greater, where
from keras_fn.ops.core import cast
from keras_fn.ops.core import dtype as dtype_of
from keras_fn.ops.nn import elu, leaky_relu, softmax


def _at_least_zero(layer: Layer, argument: str, value: Any, none: bool = False) -> Any:
    """Returns `value`, a number of 0 or more."""
    if isinstance(value, dict):  # as Keras 2 wrote NumPy numbers
        value = value.get("value")
    if (value is None and not none) or (value is not None and value < 0):
        raise misfit(layer, argument, "a number of 0 or more", value, f"for example {argument}=1.0")
    return value


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


class ELU(Layer):
    """`x` where positive, else `alpha * (exp(x) - 1)`.

    Args:
        alpha: The limit far below 0, less its sign.

    Input: a tensor of any shape. Output: a tensor of the same shape.

    Example:
        >>> y = keras.layers.ELU()(np.array([-100.0, 2.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [-1.0, 2.0]

    References:
        Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units",
        2015. https://arxiv.org/abs/1511.07289
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Returns the activation of the inputs."""
        return elu(inputs, self.alpha)


class Softmax(Layer):
    """`exp(x) / sum(exp(x))` along `axis`; what a mask hides gets 0.

    Args:
        axis: The axis, or several.

    Input: a tensor of any shape, and a boolean mask that broadcasts to it. Output: a tensor of
    the same shape.

    Raises:
        ValueError: The mask does not broadcast.

    Example:
        >>> x, mask = np.zeros((1, 3), "float32"), np.array([True, True, False])
        >>> y = keras.layers.Softmax()(x, mask=mask)
        >>> convert_to_numpy(y).tolist()
        [[0.5, 0.5, 0.0]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the activation of the inputs."""
        if mask is None:
            return softmax(inputs, self.axis)
        self._check(tuple(mask.shape), tuple(inputs.shape))
        shown = mask if dtype_of(mask) == "bool" else greater(mask, cast(0.5, dtype_of(mask)))
        low = -30000.0 if self.compute_dtype == "float16" else -1e9
        return where(shown, softmax(where(shown, inputs, low), self.axis), 0)

    def _check(self, mask: Any, inputs: Any) -> None:
        sizes = zip(reversed(mask), reversed(inputs), strict=False)
        if len(mask) > len(inputs) or any(
            m not in (1, n, None) and n is not None for m, n in sizes
        ):
            raise SpecError(
                self._place,
                expected=f"a mask that broadcasts to the inputs, {inputs}",
                given=f"a mask of shape {mask}",
                fix="give it the sizes of the inputs, or 1, from the last axis on",
            )
