"""Compatibility of static shapes, in which None stands for a size that is unknown."""

from collections.abc import Sequence
from typing import Any


def is_size_compatible(size: object, other: object) -> bool:
    """Returns whether two sizes may be equal: a size that is not an integer matches any.

    Args:
        size: An integer, None, or a scalar tensor (a size that is only known when it runs).
        other: The size to compare it with.
    """
    return not (isinstance(size, int) and isinstance(other, int)) or size == other


def is_compatible(shape: Sequence[Any], other: Sequence[Any]) -> bool:
    """Returns whether two shapes may be equal: of one rank, with compatible sizes.

    Args:
        shape: The sizes of the axes.
        other: The sizes to compare them with.

    Example:
        >>> is_compatible((None, 3), (2, 3)), is_compatible((2, 3), (2, 4))
        (True, False)
    """
    return len(shape) == len(other) and all(map(is_size_compatible, shape, other))


def missing_unit_axes(shape: Sequence[Any], expected: Sequence[Any]) -> int:
    """Returns how many last axes of size 1 `shape` lacks, compared with `expected`: 1, 0 or -1.

    Args:
        shape: The sizes of the axes.
        expected: The shape to match, of a rank that differs by one where the result is not 0.

    Example:
        >>> missing_unit_axes((8,), (8, 1)), missing_unit_axes((8, 1), (8,))
        (1, -1)
    """
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        return 1
    if len(shape) == len(expected) + 1 and shape[-1] == 1:
        return -1
    return 0
