"""Element-wise minimum of tensors."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._docstrings import inherit_sections
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import MinMaxMerge
from keras_fn.ops import arithmetic
from keras_fn.types import Tensor


@inherit_sections
class Minimum(MinMaxMerge):
    """Element-wise minimum of a list of tensors, without masked elements.

    Example:
        >>> keras.layers.Minimum()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _choose = staticmethod(arithmetic.minimum)


def minimum(inputs: Sequence[Tensor], **kwargs: Unpack[LayerOptions]) -> Tensor:
    """Functional form of the `Minimum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.minimum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Minimum(**kwargs)(inputs)
