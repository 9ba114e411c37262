"""Bitwise operators on integers."""

from __future__ import annotations

from keras_fn.ops._op import op
from keras_fn.ops._rules import elementwise_int
from keras_fn.types import Tensor, TensorLike


@op(rule=elementwise_int("ops.bitwise_not", booleans="bool"))
def bitwise_not(x: TensorLike) -> Tensor:
    """Bitwise not, element by element; logical not of booleans.

    Example:
        >>> convert_to_numpy(bitwise_not([0, 5])).tolist()
        [-1, -6]
    """
    ...


@op
def bitwise_invert(x: TensorLike) -> Tensor:
    """Bitwise not, element by element. Alias of `bitwise_not`.

    Example:
        >>> convert_to_numpy(bitwise_invert([0, 5])).tolist()
        [-1, -6]
    """
    return bitwise_not(x)


@op(rule=elementwise_int("ops.bitwise_and", booleans="bool"))
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """Bitwise and, element by element; logical and of booleans.

    Args:
        x: Integer tensor.
        y: Integer tensor or number, of a shape that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(bitwise_and([6, 5], 3)).tolist()
        [2, 1]
    """
    ...


@op(rule=elementwise_int("ops.bitwise_or", booleans="bool"))
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """Bitwise or, element by element; logical or of booleans.

    Args:
        x: Integer tensor.
        y: Integer tensor or number, of a shape that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(bitwise_or([6, 5], 3)).tolist()
        [7, 7]
    """
    ...


@op(rule=elementwise_int("ops.bitwise_xor", booleans="bool"))
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """Bitwise exclusive or, element by element; logical exclusive or of booleans.

    Args:
        x: Integer tensor.
        y: Integer tensor or number, of a shape that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(bitwise_xor([6, 5], 3)).tolist()
        [5, 6]
    """
    ...


@op(rule=elementwise_int("ops.bitwise_left_shift"))
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Left shift of the bits of `x` by `y`; 0 if `y` is not less than the number of bits.

    Args:
        x: Integer tensor.
        y: Non-negative integers, of a shape that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(bitwise_left_shift([1, 3], [4, 1])).tolist()
        [16, 6]
    """
    ...


@op(rule=elementwise_int("ops.bitwise_right_shift"))
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Arithmetic right shift of the bits of `x` by `y`; the sign is kept.

    Args:
        x: Integer tensor.
        y: Non-negative integers, of a shape that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(bitwise_right_shift([16, -8], [3, 1])).tolist()
        [2, -4]
    """
    ...


@op
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Left shift of the bits. Alias of `bitwise_left_shift`.

    Args:
        x: Integer tensor.
        y: Integer tensor or number, of a shape that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(left_shift([1, 3], [4, 1])).tolist()
        [16, 6]
    """
    return bitwise_left_shift(x, y)


@op
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Arithmetic right shift of the bits. Alias of `bitwise_right_shift`.

    Args:
        x: Integer tensor.
        y: Integer tensor or number, of a shape that broadcasts with `x`.

    Returns:
        Tensor of the broadcast shape, of the promoted integer dtype.

    Raises:
        TypeError: An operand is a float tensor.

    Example:
        >>> convert_to_numpy(right_shift([16, -8], [3, 1])).tolist()
        [2, -4]
    """
    return bitwise_right_shift(x, y)
