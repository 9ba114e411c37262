"""Element-wise maximum of tensors."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._docstrings import inherit_sections
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import MinMaxMerge
from keras_fn.ops import arithmetic
from keras_fn.types import Tensor


@inherit_sections
class Maximum(MinMaxMerge):
    """Element-wise maximum of a list of tensors, without masked elements.

    Example:
        >>> keras.layers.Maximum()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _choose = staticmethod(arithmetic.maximum)


def maximum(inputs: Sequence[Tensor], **kwargs: Unpack[LayerOptions]) -> Tensor:
    """Functional form of the `Maximum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.maximum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Maximum(**kwargs)(inputs)
