"""Bitwise operators of integers."""

from __future__ import annotations

from keras_fn.ops._op import op
from keras_fn.ops._rules import elementwise_int
from keras_fn.types import Tensor, TensorLike


@op(rule=elementwise_int("ops.bitwise_not", booleans="bool"))
def bitwise_not(x: TensorLike) -> Tensor:
    """Bits turned over; logical not of booleans.

    Example:
        >>> convert_to_numpy(bitwise_not([0, 5])).tolist()
        [-1, -6]
    """
    ...


@op
def bitwise_invert(x: TensorLike) -> Tensor:
    """Bits turned over; another name of `bitwise_not`."""
    return bitwise_not(x)


@op(rule=elementwise_int("ops.bitwise_and", booleans="bool"))
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits set in both.

    Example:
        >>> convert_to_numpy(bitwise_and([6, 5], 3)).tolist()
        [2, 1]
    """
    ...


@op(rule=elementwise_int("ops.bitwise_or", booleans="bool"))
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits set in one or both.

    Example:
        >>> convert_to_numpy(bitwise_or([6, 5], 3)).tolist()
        [7, 7]
    """
    ...


@op(rule=elementwise_int("ops.bitwise_xor", booleans="bool"))
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits set in one only.

    Example:
        >>> convert_to_numpy(bitwise_xor([6, 5], 3)).tolist()
        [5, 6]
    """
    ...


@op(rule=elementwise_int("ops.bitwise_left_shift"))
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
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
    ...


@op(rule=elementwise_int("ops.bitwise_right_shift"))
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
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
    ...


@op
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits moved up; another name of `bitwise_left_shift`."""
    return bitwise_left_shift(x, y)


@op
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits moved down; another name of `bitwise_right_shift`."""
    return bitwise_right_shift(x, y)
