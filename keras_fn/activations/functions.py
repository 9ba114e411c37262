"""Activations that are not ops of the same name and signature."""

from typing import Any

from keras_fn import ops


def linear(x: Any) -> Any:
    """Returns `x` itself.

    Example:
        >>> keras.activations.linear(3.0)
        3.0
    """
    return x


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """`x` above `threshold`, `negative_slope * (x - threshold)` below it, at most `max_value`.

    Args:
        x: Tensor of any shape.
        negative_slope: Slope below the threshold.
        max_value: The largest result, or None.
        threshold: Where the slope changes. At and above it, the result is `x`, not `x` less it.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(keras.activations.relu([-1.0, 2.0, 9.0], max_value=6.0)).tolist()
        [0.0, 2.0, 6.0]
    """
    if threshold == 0:
        if negative_slope == 0 and max_value is None:
            return ops.relu(x)
        if negative_slope == 0 and max_value == 6:
            return ops.relu6(x)
        if max_value is None:
            return ops.leaky_relu(x, negative_slope)
    above = x if max_value is None else ops.minimum(x, max_value)
    below = ops.multiply(ops.subtract(x, threshold), negative_slope) if negative_slope else 0
    return ops.where(ops.greater(x, threshold), above, below)


def gelu(x: Any, approximate: bool = False) -> Any:
    """`x * P(X <= x)` for a standard normal X.

    Args:
        x: Tensor of floats.
        approximate: Whether to take the form with tanh; `ops.gelu` does by default.

    Example:
        >>> print(convert_to_numpy(keras.activations.gelu([-1.0, 0.0, 1.0])).round(4))
        [-0.1587  0.      0.8413]

    References:
        Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    """
    return ops.gelu(x, approximate)


def exponential(x: Any) -> Any:
    """`exp(x)`.

    Example:
        >>> convert_to_numpy(keras.activations.exponential([0.0])).tolist()
        [1.0]
    """
    return ops.exp(x)


def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))`.

    Example:
        >>> print(convert_to_numpy(keras.activations.mish([1.0])).round(3))
        [0.865]

    References:
        Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.
    """
    return ops.multiply(x, ops.tanh(ops.softplus(x)))
