"""Element-wise minimum of tensors."""

from typing import Any

from keras_fn.layers._docstrings import inherit_sections
from keras_fn.layers.merging.base_merge import MinMaxMerge
from keras_fn.ops import arithmetic


@inherit_sections
class Minimum(MinMaxMerge):
    """Element-wise minimum of a list of tensors, without masked elements.

    For what the inputs may be see `Merge`.

    Example:
        >>> keras.layers.Minimum()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _choose = staticmethod(arithmetic.minimum)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Minimum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.minimum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Minimum(**kwargs)(inputs)
