"""Element-wise sum of tensors."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops import arithmetic
from keras_fn.types import Tensor


class Add(Merge):
    """Element-wise sum of a list of tensors.

    Input shape:
        A list of tensors whose shapes broadcast. Tensors of lower rank get axes of size 1
        after the batch axis.

    Output shape:
        A tensor of the broadcast shape. If every input has a mask, so does the output: the
        union of the masks.

    Raises:
        ValueError: The inputs are not a list, or their shapes are incompatible.

    Example:
        >>> keras.layers.Add()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        return reduce(arithmetic.add, inputs)


def add(inputs: Sequence[Tensor], **kwargs: Unpack[LayerOptions]) -> Tensor:
    """Functional form of the `Add` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.add([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Add(**kwargs)(inputs)
