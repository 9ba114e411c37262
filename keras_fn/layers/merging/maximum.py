"""Layers that make one tensor of several, element by element."""

from typing import Any

from keras_fn.layers.merging.base_merge import MinMaxMerge
from keras_fn.ops import arithmetic


class Maximum(MinMaxMerge):
    """The largest of the inputs, element by element; what a mask hides is passed over.

    For what the inputs may be see `Merge`.

    Example:
        >>> keras.layers.Maximum()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _choose = staticmethod(arithmetic.maximum)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Maximum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.maximum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Maximum(**kwargs)(inputs)
