"""Walks over optimizers that wrap others, such as LossScaleOptimizer and MultiOptimizer."""

from collections.abc import Iterator
from typing import Any

from keras_fn.optimizers.optimizer import Optimizer


def list_optimizers(optimizer: Any) -> list[Any]:
    """Returns an optimizer and the optimizers nested in it, at any depth, outermost first.

    Args:
        optimizer: An optimizer, or None.

    Returns:
        The optimizers; an empty list for None.

    Example:
        >>> from keras_fn.optimizers.nested import list_optimizers
        >>> sgd = keras.optimizers.SGD(0.1)
        >>> wrapper = keras.optimizers.LossScaleOptimizer(sgd)
        >>> list_optimizers(wrapper) == [wrapper, sgd]
        True
    """
    if optimizer is None:
        return []
    return [optimizer, *(o for each in _children(optimizer) for o in list_optimizers(each))]


def leaf_optimizers(optimizer: Any) -> list[Any]:
    """Returns the optimizers that update variables themselves: those that wrap no others.

    Args:
        optimizer: An optimizer, or None.

    Example:
        >>> from keras_fn.optimizers.nested import leaf_optimizers
        >>> sgd = keras.optimizers.SGD(0.1)
        >>> leaf_optimizers(keras.optimizers.LossScaleOptimizer(sgd)) == [sgd]
        True
    """
    return [o for o in list_optimizers(optimizer) if not _children(o)]


def find_optimizers(value: Any) -> Iterator[Optimizer]:
    """Yields the optimizers in a value: the value itself, or items of lists, tuples and dicts."""
    if isinstance(value, Optimizer):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from find_optimizers(item)


def _children(optimizer: Any) -> list[Any]:
    children = [getattr(optimizer, "inner_optimizer", None)]
    children += getattr(optimizer, "optimizers", None) or ()
    return [child for child in children if child is not None]
