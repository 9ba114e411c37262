"""Element-wise maximum of tensors."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import MinMaxMerge
from keras_fn.ops import arithmetic
from keras_fn.types import Tensor


class Maximum(MinMaxMerge):
    """Element-wise maximum of a list of tensors, without masked elements.

    Input shape:
        A list of tensors whose shapes broadcast. Tensors of lower rank get axes of size 1
        after the batch axis.

    Output shape:
        A tensor of the broadcast shape. If every input has a mask, so does the output: the
        union of the masks.

    Raises:
        ValueError: The inputs are not a list, or their shapes are incompatible.

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
