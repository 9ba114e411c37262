"""Functions that update rules call in addition to operators, for one variable at a time.

A backend that can update many variables in one call has the same functions as methods of its
`foreach` type (see `keras_fn.backend.contract.ForEach`), so that a rule is written once.
"""

from keras_fn import ops
from keras_fn.types import Scalar, Tensor

sqrt = ops.sqrt

square = ops.square

sign = ops.sign

absolute = ops.absolute

maximum = ops.maximum

clip = ops.clip

power = ops.power


def scalar(x: Tensor) -> Tensor:
    """Returns a scalar tensor unchanged."""
    return x


def scale(x: Tensor, factor: Tensor | Scalar) -> Tensor:
    """Returns `x * factor` in the dtype of `x`, for a scalar tensor such as the learning rate."""
    return ops.multiply(x, ops.cast(factor, ops.dtype(x)))


def sub_scaled(x: Tensor, direction: Tensor, rate: Tensor | Scalar) -> Tensor:
    """Returns `x - direction * rate`, for a scalar rate. Like `-=`, it may overwrite `x`."""
    return ops.subtract(x, scale(direction, rate))


def lerp(x: Tensor, end: Tensor, weight: float) -> Tensor:
    """Linear interpolation: `x + (end - x) * weight`. Like `+=`, it may overwrite `x`."""
    return ops.add(x, ops.multiply(ops.subtract(end, x), weight))


def lerp_square(x: Tensor, end: Tensor, weight: float) -> Tensor:
    """Linear interpolation toward a square: `x + (end**2 - x) * weight`. It may overwrite `x`."""
    return lerp(x, square(end), weight)


def sub_scaled_ratio(
    x: Tensor, numerator: Tensor, denominator: Tensor, rate: Tensor | Scalar
) -> Tensor:
    """Returns `x - numerator / denominator * rate`, for a scalar rate. It may overwrite `x`.

    PyTorch's `addcdiv` with `value=-rate`.
    """
    return sub_scaled(x, numerator / denominator, rate)


def norm(x: Tensor) -> Tensor:
    """Returns the Euclidean norm of a variable: a scalar tensor in float32, or float64."""
    x = ops.cast(x, "float64" if ops.dtype(x) == "float64" else "float32")
    return ops.sqrt(ops.sum(ops.square(x)))


total_norm = norm


def add_scalar(x: Tensor, offset: Tensor | Scalar) -> Tensor:
    """Returns `x + offset` in the dtype of `x`, for a scalar tensor."""
    return ops.add(x, ops.cast(offset, ops.dtype(x)))
