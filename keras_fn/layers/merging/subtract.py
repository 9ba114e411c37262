"""Layers that make one tensor of several, element by element."""

from collections.abc import Sequence
from typing import Any

from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops import arithmetic


class Subtract(Merge):
    """The first input less the second. For what they may be see `Merge`.

    Example:
        >>> keras.layers.Subtract()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _at_least = _at_most = 2

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        return arithmetic.subtract(*inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Subtract` layer.

    Args:
        inputs: A list of two tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.subtract([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Subtract(**kwargs)(inputs)
