"""Elementwise mathematics: functions of two tensors, which broadcast, and what follows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op
from keras_fn.ops._rules import (
    broadcast,
    comparison,
    elementwise,
    elementwise_difference,
    elementwise_float,
    elementwise_int,
    elementwise_number,
    logical,
)
from keras_fn.ops._types import Tensor
from keras_fn.ops.core import cast
from keras_fn.ops.core import dtype as dtype_of


def as_tensors(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """Two tensors of one dtype, where the dispatcher has left a number beside a tensor."""
    if isinstance(x1, (bool, int, float)):
        return cast(x1, dtype_of(x2)), x2
    if isinstance(x2, (bool, int, float)):
        return x1, cast(x2, dtype_of(x1))
    return x1, x2


@op(rule=elementwise)
def add(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 + x2`.

    Example:
        >>> print(convert_to_numpy(add([1.0, 2.0], 3.0)).round(3))
        [4. 5.]
    """


@op(rule=elementwise_difference("ops.subtract"))
def subtract(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 - x2`.

    Example:
        >>> print(convert_to_numpy(subtract([1.0, 2.0], 3.0)).round(3))
        [-2. -1.]
    """


@op(rule=elementwise)
def multiply(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 * x2`.

    Example:
        >>> print(convert_to_numpy(multiply([1.0, 2.0], 3.0)).round(3))
        [3. 6.]
    """


@op(rule=elementwise_float)
def true_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 / x2`; integers become floats.

    Example:
        >>> print(convert_to_numpy(true_divide([1, 2], 4)).round(3))
        [0.25 0.5 ]
    """


@op(rule=elementwise_number)
def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """Quotient rounded towards minus infinity.

    Example:
        >>> convert_to_numpy(floor_divide([7, -7], 2)).tolist()
        [3, -4]
    """


@op(rule=elementwise_number)
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    """Remainder with the sign of `x2`.

    Example:
        >>> convert_to_numpy(mod([7, -7], 4)).tolist()
        [3, 1]
    """


@op(rule=elementwise)
def power(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1` to the power of `x2`.

    Example:
        >>> print(convert_to_numpy(power([2.0, 3.0], 2.0)).round(3))
        [4. 9.]
    """


@op(rule=elementwise)
def maximum(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of two elements; NaN if one is.

    Example:
        >>> print(convert_to_numpy(maximum([1.0, 5.0], 3.0)).round(3))
        [3. 5.]
    """


@op(rule=elementwise)
def minimum(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of two elements; NaN if one is.

    Example:
        >>> print(convert_to_numpy(minimum([1.0, 5.0], 3.0)).round(3))
        [1. 3.]
    """


@op(rule=elementwise_float)
def arctan2(x1: Tensor, x2: Tensor) -> Tensor:
    """Angle in radians of the point `(x2, x1)`.

    Example:
        >>> print(convert_to_numpy(arctan2([1.0, 0.0], [1.0, -1.0])).round(3))
        [0.785 3.142]
    """


@op(rule=elementwise_int("ops.bitwise_and", booleans="bool"))
def bitwise_and(x: Tensor, y: Tensor) -> Tensor:
    """Bits set in both.

    Example:
        >>> convert_to_numpy(bitwise_and([6, 5], 3)).tolist()
        [2, 1]
    """


@op(rule=elementwise_int("ops.bitwise_or", booleans="bool"))
def bitwise_or(x: Tensor, y: Tensor) -> Tensor:
    """Bits set in one or both.

    Example:
        >>> convert_to_numpy(bitwise_or([6, 5], 3)).tolist()
        [7, 7]
    """


@op(rule=elementwise_int("ops.bitwise_xor", booleans="bool"))
def bitwise_xor(x: Tensor, y: Tensor) -> Tensor:
    """Bits set in one only.

    Example:
        >>> convert_to_numpy(bitwise_xor([6, 5], 3)).tolist()
        [5, 6]
    """


@op(rule=elementwise_int("ops.bitwise_left_shift"))
def bitwise_left_shift(x: Tensor, y: Tensor) -> Tensor:
    """Bits of `x` moved up by `y` places; 0 if `y` is not less than their number.

    Args:
        x: Integers.
        y: Integers that are not negative, of a shape that broadcasts with that of `x`.

    Raises:
        TypeError: An operand is of floats.

    Example:
        >>> convert_to_numpy(bitwise_left_shift([1, 3], [4, 1])).tolist()
        [16, 6]
    """


@op(rule=elementwise_int("ops.bitwise_right_shift"))
def bitwise_right_shift(x: Tensor, y: Tensor) -> Tensor:
    """Bits of `x` moved down by `y` places; the sign stays.

    Args:
        x: Integers.
        y: Integers that are not negative, of a shape that broadcasts with that of `x`.

    Raises:
        TypeError: An operand is of floats.

    Example:
        >>> convert_to_numpy(bitwise_right_shift([16, -8], [3, 1])).tolist()
        [2, -4]
    """


@op
def left_shift(x: Tensor, y: Tensor) -> Tensor:
    """Bits moved up; another name of `bitwise_left_shift`."""
    return bitwise_left_shift(x, y)


@op
def right_shift(x: Tensor, y: Tensor) -> Tensor:
    """Bits moved down; another name of `bitwise_right_shift`."""
    return bitwise_right_shift(x, y)


@op(rule=elementwise_int("ops.gcd"))
def gcd(x1: Tensor, x2: Tensor) -> Tensor:
    """Greatest common divisor of the absolute values; that of 0 and 0 is 0.

    Raises:
        TypeError: An operand is of floats.

    Example:
        >>> convert_to_numpy(gcd([12, 0], [18, 5])).tolist()
        [6, 5]
    """


@op(rule=elementwise_float)
def nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    """The number next to `x1`, as its dtype has them, towards `x2`.

    Example:
        >>> float(nextafter(1.0, 2.0)) - 1.0 == 2.0**-23
        True
    """


@op(rule=comparison)
def equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether elements are equal.

    Example:
        >>> convert_to_numpy(equal([1, 2], 2)).tolist()
        [False, True]
    """


@op(rule=comparison)
def not_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether elements differ.

    Example:
        >>> convert_to_numpy(not_equal([1, 2], 2)).tolist()
        [True, False]
    """


@op(rule=comparison)
def less(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 < x2`.

    Example:
        >>> convert_to_numpy(less([1, 2], 2)).tolist()
        [True, False]
    """


@op(rule=comparison)
def less_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 <= x2`.

    Example:
        >>> convert_to_numpy(less_equal([1, 3], 2)).tolist()
        [True, False]
    """


@op(rule=comparison)
def greater(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 > x2`.

    Example:
        >>> convert_to_numpy(greater([1, 3], 2)).tolist()
        [False, True]
    """


@op(rule=comparison)
def greater_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 >= x2`.

    Example:
        >>> convert_to_numpy(greater_equal([1, 2], 2)).tolist()
        [False, True]
    """


@op(rule=logical)
def logical_and(x1: Tensor, x2: Tensor) -> Tensor:
    """Logical and.

    Example:
        >>> convert_to_numpy(logical_and([True, True], [True, False])).tolist()
        [True, False]
    """


@op(rule=logical)
def logical_or(x1: Tensor, x2: Tensor) -> Tensor:
    """Logical or.

    Example:
        >>> convert_to_numpy(logical_or([False, True], [False, False])).tolist()
        [False, True]
    """


@op(rule=logical)
def logical_xor(x1: Tensor, x2: Tensor) -> Tensor:
    """Logical exclusive or.

    Example:
        >>> convert_to_numpy(logical_xor([True, True], [True, False])).tolist()
        [False, True]
    """


@op
def divide(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 / x2`; another name of `true_divide`."""
    return true_divide(x1, x2)


@op(rule=elementwise_float)
def divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 / x2`, and 0 where `x2` is 0. Its gradient is 0 there too.

    Example:
        >>> convert_to_numpy(divide_no_nan([1.0, 1.0], [2.0, 0.0])).tolist()
        [0.5, 0.0]
    """
    if isinstance(x2, (int, float, complex)):  # `where` would forget that a number is weak
        x2 = cast(x2, dtype_of(x1))
    zero = equal(x2, 0)
    return where(zero, 0, true_divide(x1, where(zero, 1, x2)))


@op
def squared_difference(x1: Tensor, x2: Tensor) -> Tensor:
    """`(x1 - x2) ** 2`.

    Example:
        >>> convert_to_numpy(squared_difference([1.0, 4.0], 2.0)).tolist()
        [1.0, 4.0]
    """
    difference = subtract(x1, x2)
    return multiply(difference, difference)


@op(rule=elementwise_number)
def clip(x: Tensor, x_min: Tensor, x_max: Tensor) -> Tensor:
    """Elements below `x_min` become `x_min`, those above `x_max` become `x_max`.

    Example:
        >>> convert_to_numpy(clip([-1.0, 0.5, 2.0], 0.0, 1.0)).tolist()
        [0.0, 0.5, 1.0]
    """
    return minimum(maximum(x, x_min), x_max)


def _where_spec(condition: Spec, x1: Spec | None = None, x2: Spec | None = None) -> Any:
    if x1 is None and x2 is None:
        return tuple(Spec((None,), "int32") for _ in condition.shape)
    if x1 is None or x2 is None:
        raise SpecError(
            "ops.where", expected="both x1 and x2, or neither", given="one of them",
            fix="give a tensor or a number for the other",
        )  # fmt: skip
    shape = broadcast(condition.shape, x1.shape, x2.shape, who="ops.where")
    return Spec(shape, dtypes.result_type(x1.dtype, x2.dtype))


@op(rule=Rule(_where_spec, operands=dtypes.result_type, first=1))
def where(condition: Tensor, x1: Tensor = None, x2: Tensor = None) -> Any:
    """Elements of `x1` where `condition` holds, else of `x2`; the three broadcast.

    Args:
        condition: Booleans, or numbers that hold where they are not 0.
        x1: Tensor or number.
        x2: Tensor or number.

    Returns:
        The elements. Without `x1` and `x2`, the places where the condition holds: a tuple of
        indices (int32), a tensor for each axis.

    Raises:
        ValueError: Only one of `x1` and `x2` is given, or the shapes do not broadcast.

    Example:
        >>> convert_to_numpy(where([True, False], [1.0, 2.0], 0.0)).tolist()
        [1.0, 0.0]
    """


@op
def square(x: Tensor) -> Tensor:
    """`x * x`.

    Example:
        >>> convert_to_numpy(square([2.0, -3.0])).tolist()
        [4.0, 9.0]
    """
    return multiply(x, x)


@op
def reciprocal(x: Tensor) -> Tensor:
    """`1 / x`.

    Example:
        >>> convert_to_numpy(reciprocal([2.0, 4.0])).tolist()
        [0.5, 0.25]
    """
    return true_divide(1.0, x)


@op
def deg2rad(x: Tensor) -> Tensor:
    """Degrees to radians."""
    return multiply(x, math.pi / 180.0)


@op
def rad2deg(x: Tensor) -> Tensor:
    """Radians to degrees."""
    return multiply(x, 180.0 / math.pi)


def saturate_cast(x: Tensor, dtype: Any) -> Tensor:
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
