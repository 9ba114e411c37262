"""Element-wise maximum of tensors."""

from typing import Any

from keras_fn.layers._docstrings import inherit_sections
from keras_fn.layers.merging.base_merge import MinMaxMerge
from keras_fn.ops import arithmetic


@inherit_sections
class Maximum(MinMaxMerge):
    """Element-wise maximum of a list of tensors, without masked elements.

    For what the inputs may be see `Merge`.

    Example:
        >>> keras.layers.Maximum()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _choose = staticmethod(arithmetic.maximum)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Functional form of `Maximum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.maximum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Maximum(**kwargs)(inputs)
