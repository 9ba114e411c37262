"""Elementwise arithmetic: addition, multiplication, division, remainder, sign, min and max."""

from __future__ import annotations

import typing

from keras_fn.ops._op import op
from keras_fn.ops._rules import (
    elementwise,
    elementwise_difference,
    elementwise_float,
    elementwise_int,
    elementwise_number,
    like,
    like_number,
    magnitude,
)
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.types import Tensor, TensorLike


@op(rule=magnitude)
def absolute(x: TensorLike) -> Tensor:
    """Absolute value, element by element; the modulus of complex numbers.

    Example:
        >>> print(convert_to_numpy(absolute([-1.5, 2.0])).round(3))
        [1.5 2. ]
    """
    ...


@op(rule=like_number("ops.negative"))
def negative(x: TensorLike) -> Tensor:
    """Negation, element by element: `-x`.

    Example:
        >>> print(convert_to_numpy(negative([1.0, -2.0])).round(3))
        [-1.  2.]
    """
    ...


@op(rule=like)
def sign(x: TensorLike) -> Tensor:
    """Sign of each element: -1, 0 or 1.

    Example:
        >>> print(convert_to_numpy(sign([-3.0, 0.0, 2.0])).round(3))
        [-1.  0.  1.]
    """
    ...


@op
def abs(x: TensorLike) -> Tensor:
    """Absolute value, element by element. Alias of `absolute`.

    Example:
        >>> convert_to_numpy(ops.abs([-1.5, 2.0])).tolist()
        [1.5, 2.0]
    """
    return absolute(x)


def promote_scalars(x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    """Casts a Python number among two operands to the dtype of the other operand.

    Args:
        x1: Tensor or number.
        x2: Tensor or number.

    Returns:
        Both operands, as tensors if one of them is a tensor.
    """
    if isinstance(x1, (bool, int, float)):
        x1 = cast(x1, dtype_of(x2))
    elif isinstance(x2, (bool, int, float)):
        x2 = cast(x2, dtype_of(x1))
    return typing.cast(Tensor, x1), typing.cast(Tensor, x2)


@op(rule=elementwise)
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Addition, element by element: `x1 + x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> print(convert_to_numpy(add([1.0, 2.0], 3.0)).round(3))
        [4. 5.]
    """
    ...


@op(rule=elementwise_difference("ops.subtract"))
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Subtraction, element by element: `x1 - x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Raises:
        TypeError: Both operands are boolean.

    Example:
        >>> print(convert_to_numpy(subtract([1.0, 2.0], 3.0)).round(3))
        [-2. -1.]
    """
    ...


@op(rule=elementwise)
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Multiplication, element by element: `x1 * x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> print(convert_to_numpy(multiply([1.0, 2.0], 3.0)).round(3))
        [3. 6.]
    """
    ...


@op(rule=elementwise_float)
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Division, element by element: `x1 / x2`. Integers are converted to floats.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> print(convert_to_numpy(true_divide([1, 2], 4)).round(3))
        [0.25 0.5 ]
    """
    ...


@op(rule=elementwise_number)
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Floor division, element by element: the quotient rounded toward minus infinity.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> convert_to_numpy(floor_divide([7, -7], 2)).tolist()
        [3, -4]
    """
    ...


@op(rule=elementwise_number)
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder of the floor division, element by element; it has the sign of `x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> convert_to_numpy(mod([7, -7], 4)).tolist()
        [3, 1]
    """
    ...


@op(rule=elementwise_number)
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Power, element by element: `x1` raised to the power of `x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> print(convert_to_numpy(power([2.0, 3.0], 2.0)).round(3))
        [4. 9.]
    """
    ...


@op(rule=elementwise)
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Maximum of two tensors, element by element; NaN if either element is NaN.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> print(convert_to_numpy(maximum([1.0, 5.0], 3.0)).round(3))
        [3. 5.]
    """
    ...


@op(rule=elementwise)
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Minimum of two tensors, element by element; NaN if either element is NaN.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> print(convert_to_numpy(minimum([1.0, 5.0], 3.0)).round(3))
        [1. 3.]
    """
    ...


@op
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Division, element by element: `x1 / x2`. Alias of `true_divide`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> convert_to_numpy(divide([1.0, 3.0], 2.0)).tolist()
        [0.5, 1.5]
    """
    return true_divide(x1, x2)


@op
def squared_difference(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Squared difference, element by element: `(x1 - x2) ** 2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> convert_to_numpy(squared_difference([1.0, 4.0], 2.0)).tolist()
        [1.0, 4.0]
    """
    difference = subtract(x1, x2)
    return multiply(difference, difference)


@op(rule=elementwise_number)
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """Clips the elements to the interval from `x_min` to `x_max`.

    Args:
        x: Tensor of any shape.
        x_min: Lower bound: a number, or a tensor that broadcasts with `x`.
        x_max: Upper bound: a number, or a tensor that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype (int32 for booleans).

    Example:
        >>> convert_to_numpy(clip([-1.0, 0.5, 2.0], 0.0, 1.0)).tolist()
        [0.0, 0.5, 1.0]
    """
    return minimum(maximum(x, x_min), x_max)


@op(rule=elementwise_number)
def square(x: TensorLike) -> Tensor:
    """Square, element by element: `x * x`.

    Example:
        >>> convert_to_numpy(square([2.0, -3.0])).tolist()
        [4.0, 9.0]
    """
    return multiply(x, x)


@op
def reciprocal(x: TensorLike) -> Tensor:
    """Reciprocal, element by element: `1 / x`.

    Example:
        >>> convert_to_numpy(reciprocal([2.0, 4.0])).tolist()
        [0.5, 0.25]
    """
    return true_divide(1.0, x)


@op(rule=elementwise_float)
def fabs(x: TensorLike) -> Tensor:
    """Absolute value as a float, element by element.

    Example:
        >>> convert_to_numpy(fabs([-1, 2])).tolist()
        [1.0, 2.0]
    """
    return absolute(x)


@op(rule=elementwise_int("ops.gcd"))
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Greatest common divisor of the absolute values, element by element; 0 for two zeros.

    Args:
        x1: Integer tensor.
        x2: Integer tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(gcd([12, 0], [18, 5])).tolist()
        [6, 5]
    """
    ...


@op(rule=elementwise_int("ops.lcm"))
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Least common multiple of the absolute values, element by element; 0 if either is 0.

    Args:
        x1: Integer tensor.
        x2: Integer tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(lcm([4, 0], [6, 5])).tolist()
        [12, 0]
    """
    x1, x2 = map(absolute, promote_scalars(x1, x2))
    return multiply(floor_divide(x1, maximum(gcd(x1, x2), 1)), x2)
