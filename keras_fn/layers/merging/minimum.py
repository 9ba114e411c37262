"""Layers that make one tensor of several, element by element."""

from typing import Any

from keras_fn.layers.merging.base_merge import MinMaxMerge
from keras_fn.ops import arithmetic


class Minimum(MinMaxMerge):
    """The least of the inputs, element by element; what a mask hides is passed over.

    For what the inputs may be see `Merge`.

    Example:
        >>> keras.layers.Minimum()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _choose = staticmethod(arithmetic.minimum)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Minimum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.minimum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Minimum(**kwargs)(inputs)
