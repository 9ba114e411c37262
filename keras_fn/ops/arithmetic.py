"""Elementwise arithmetic: sums, products, quotients, remainders, signs, extrema."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.ops._op import op
from keras_fn.ops._rules import (
    elementwise,
    elementwise_difference,
    elementwise_float,
    elementwise_number,
    like,
    like_number,
    magnitude,
)
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.types import Tensor, TensorLike


@op(rule=magnitude)
def absolute(x: TensorLike) -> Tensor:
    """Absolute value; of complex numbers, the length.

    Example:
        >>> print(convert_to_numpy(absolute([-1.5, 2.0])).round(3))
        [1.5 2. ]
    """
    ...


@op(rule=like_number("ops.negative"))
def negative(x: TensorLike) -> Tensor:
    """`-x`.

    Example:
        >>> print(convert_to_numpy(negative([1.0, -2.0])).round(3))
        [-1.  2.]
    """
    ...


@op(rule=like)
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1, as `x` is negative, zero or positive.

    Example:
        >>> print(convert_to_numpy(sign([-3.0, 0.0, 2.0])).round(3))
        [-1.  0.  1.]
    """
    ...


@op
def abs(x: TensorLike) -> Tensor:
    """Absolute value; another name of `absolute`."""
    return absolute(x)


def as_tensors(x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    """Two tensors of one dtype, where the dispatcher has left a number beside a tensor."""
    if isinstance(x1, (bool, int, float)):
        return cast(x1, dtype_of(x2)), x2
    if isinstance(x2, (bool, int, float)):
        return x1, cast(x2, dtype_of(x1))
    return x1, x2


@op(rule=elementwise)
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 + x2`.

    Example:
        >>> print(convert_to_numpy(add([1.0, 2.0], 3.0)).round(3))
        [4. 5.]
    """
    ...


@op(rule=elementwise_difference("ops.subtract"))
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 - x2`.

    Example:
        >>> print(convert_to_numpy(subtract([1.0, 2.0], 3.0)).round(3))
        [-2. -1.]
    """
    ...


@op(rule=elementwise)
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 * x2`.

    Example:
        >>> print(convert_to_numpy(multiply([1.0, 2.0], 3.0)).round(3))
        [3. 6.]
    """
    ...


@op(rule=elementwise_float)
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 / x2`; integers become floats.

    Example:
        >>> print(convert_to_numpy(true_divide([1, 2], 4)).round(3))
        [0.25 0.5 ]
    """
    ...


@op(rule=elementwise_number)
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient rounded towards minus infinity.

    Example:
        >>> convert_to_numpy(floor_divide([7, -7], 2)).tolist()
        [3, -4]
    """
    ...


@op(rule=elementwise_number)
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder with the sign of `x2`.

    Example:
        >>> convert_to_numpy(mod([7, -7], 4)).tolist()
        [3, 1]
    """
    ...


@op(rule=elementwise)
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1` to the power of `x2`.

    Example:
        >>> print(convert_to_numpy(power([2.0, 3.0], 2.0)).round(3))
        [4. 9.]
    """
    ...


@op(rule=elementwise)
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two elements; NaN if one is.

    Example:
        >>> print(convert_to_numpy(maximum([1.0, 5.0], 3.0)).round(3))
        [3. 5.]
    """
    ...


@op(rule=elementwise)
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two elements; NaN if one is.

    Example:
        >>> print(convert_to_numpy(minimum([1.0, 5.0], 3.0)).round(3))
        [1. 3.]
    """
    ...


@op
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 / x2`; another name of `true_divide`."""
    return true_divide(x1, x2)


@op
def squared_difference(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`(x1 - x2) ** 2`.

    Example:
        >>> convert_to_numpy(squared_difference([1.0, 4.0], 2.0)).tolist()
        [1.0, 4.0]
    """
    difference = subtract(x1, x2)
    return multiply(difference, difference)


@op(rule=elementwise_number)
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """Elements below `x_min` become `x_min`, those above `x_max` become `x_max`.

    Example:
        >>> convert_to_numpy(clip([-1.0, 0.5, 2.0], 0.0, 1.0)).tolist()
        [0.0, 0.5, 1.0]
    """
    return minimum(maximum(x, x_min), x_max)


@op
def square(x: TensorLike) -> Tensor:
    """`x * x`.

    Example:
        >>> convert_to_numpy(square([2.0, -3.0])).tolist()
        [4.0, 9.0]
    """
    return multiply(x, x)


@op
def reciprocal(x: TensorLike) -> Tensor:
    """`1 / x`.

    Example:
        >>> convert_to_numpy(reciprocal([2.0, 4.0])).tolist()
        [0.5, 0.25]
    """
    return true_divide(1.0, x)


def saturate_cast(x: TensorLike, dtype: Any) -> Tensor:
    """Converts to another dtype; values beyond its range become its largest or smallest.

    Example:
        >>> convert_to_numpy(saturate_cast([-5, 300], "uint8")).tolist()
        [0, 255]
    """
    dtype = dtypes.standardize_dtype(dtype)
    if dtypes.is_int(dtype):
        limits = np.iinfo(dtype)
        from_float = dtypes.is_float(dtype_of(x))
        x = clip(x, float(limits.min) if from_float else limits.min, limits.max)
    return cast(x, dtype)


@op(rule=elementwise_float)
def fabs(x: TensorLike) -> Tensor:
    """Absolute value, as a float.

    Example:
        >>> convert_to_numpy(fabs([-1, 2])).tolist()
        [1.0, 2.0]
    """
    return absolute(x)
