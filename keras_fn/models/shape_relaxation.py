"""Which sizes of an input shape a model needs: found by trying others, without computing values."""

from collections.abc import Callable, Iterable

from keras_fn.types import Shape


def relax_shape(shape: Shape, accepts: Callable[[Shape], bool]) -> Shape:
    """Returns the shape with None for the axes that can have another size.

    Args:
        shape: A shape that the model accepts.
        accepts: Whether the model, whose weights exist, accepts a shape.
    """
    rest = range(len(shape) - 1)
    if len(shape) > 2 and _is_free(shape, rest, accepts):  # mostly all but the last
        shape, rest = _without(shape, rest), ()
    for axis in (*rest, len(shape) - 1):
        if _is_free(shape, (axis,), accepts):
            shape = _without(shape, (axis,))
    return shape


def _is_free(shape: Shape, axes: Iterable[int], accepts: Callable[[Shape], bool]) -> bool:
    """Returns whether the model accepts other sizes of some axes, and sizes that are not known."""
    for other in (_larger, _smaller, _double):
        changed = tuple(
            other(size) if i in axes and size is not None else size for i, size in enumerate(shape)
        )
        if accepts(changed):
            return accepts(_without(shape, axes))
    return False


def _larger(size: int) -> int:
    return 2 * size + 13


def _smaller(size: int) -> int:
    return max(size // 2, 1)


def _double(size: int) -> int:  # keeps what the size is a multiple of
    return 2 * size


def _without(shape: Shape, axes: Iterable[int]) -> Shape:
    return tuple(None if i in axes else size for i, size in enumerate(shape))
