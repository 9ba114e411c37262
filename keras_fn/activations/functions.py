"""Activation functions that differ from the op of the same name."""

from keras_fn import ops
from keras_fn.types import Tensor, TensorLike


def linear(x: TensorLike) -> Tensor:
    """Linear activation: returns `x` unchanged.

    Args:
        x: A tensor.

    Returns:
        `x` itself.

    Example:
        >>> keras.activations.linear(3.0)
        3.0
    """
    return x  # pyright: ignore[reportReturnType]  # a call of `cast` costs as much as the layer


def relu(
    x: TensorLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Tensor:
    """Rectified linear unit (ReLU), with an optional slope, threshold and maximum.

    `x` above `threshold`, `negative_slope * (x - threshold)` below it, at most `max_value`.

    Args:
        x: A tensor of any shape.
        negative_slope: The slope below the threshold.
        max_value: The maximum of the result, or None.
        threshold: The threshold. At and above it, the result is `x`, not `x - threshold`.

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


def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """Gaussian error linear unit (GELU): `x * P(X <= x)` for a standard normal `X`.

    Args:
        x: A tensor of floats.
        approximate: Whether to use the approximation with tanh, the default of `ops.gelu`.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> print(convert_to_numpy(keras.activations.gelu([-1.0, 0.0, 1.0])).round(4))
        [-0.1587  0.      0.8413]

    References:
        Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    """
    return ops.gelu(x, approximate)


def exponential(x: TensorLike) -> Tensor:
    """Exponential activation: `exp(x)`.

    Args:
        x: A tensor.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(keras.activations.exponential([0.0])).tolist()
        [1.0]
    """
    return ops.exp(x)


def mish(x: TensorLike) -> Tensor:
    """Mish activation: `x * tanh(softplus(x))`.

    Args:
        x: A tensor of floats.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> print(convert_to_numpy(keras.activations.mish([1.0])).round(3))
        [0.865]

    References:
        Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.
    """
    return ops.multiply(x, ops.tanh(ops.softplus(x)))
