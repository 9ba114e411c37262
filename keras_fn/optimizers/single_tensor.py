"""The functions that update rules call beside operators, on one variable at a time.

A backend that can update many variables in one call offers the same names on its `foreach` type
(see `keras_fn.backend.contract.ForEach`), so that a rule is written once.
"""

from typing import Any

from keras_fn import ops

Tensor = Any

sqrt = ops.sqrt

square = ops.square

sign = ops.sign

absolute = ops.absolute

maximum = ops.maximum

clip = ops.clip

power = ops.power


def scalar(x: Tensor) -> Tensor:
    """Returns a scalar tensor, as it is."""
    return x


def scale(x: Tensor, factor: Tensor) -> Tensor:
    """Returns `x * factor` in the dtype of `x`, for a scalar tensor such as the learning rate."""
    return ops.multiply(x, ops.cast(factor, ops.dtype(x)))


def sub_scaled(x: Tensor, direction: Tensor, rate: Tensor) -> Tensor:
    """Returns `x - direction * rate`, for a scalar rate. Like `-=`, it may overwrite `x`."""
    return ops.subtract(x, scale(direction, rate))


def lerp(x: Tensor, target: Tensor, rate: float) -> Tensor:
    """Returns `x + (target - x) * rate`. Like `+=`, it may overwrite `x`."""
    return ops.add(x, ops.multiply(ops.subtract(target, x), rate))


def lerp_square(x: Tensor, target: Tensor, rate: float) -> Tensor:
    """Returns `x + (target**2 - x) * rate`. Like `+=`, it may overwrite `x`."""
    return lerp(x, square(target), rate)


def sub_scaled_ratio(x: Tensor, direction: Tensor, divisor: Tensor, rate: Tensor) -> Tensor:
    """Returns `x - direction / divisor * rate`, for a scalar rate. It may overwrite `x`."""
    return sub_scaled(x, direction / divisor, rate)


def norm(x: Tensor) -> Tensor:
    """Returns the Euclidean norm of a variable: a scalar in float32, or float64."""
    x = ops.cast(x, "float64" if ops.dtype(x) == "float64" else "float32")
    return ops.sqrt(ops.sum(ops.square(x)))


total_norm = norm


def add_scalar(x: Tensor, offset: Tensor) -> Tensor:
    """Returns `x + offset` in the dtype of `x`, for a scalar tensor."""
    return ops.add(x, ops.cast(offset, ops.dtype(x)))
