"""Element-wise difference of two tensors."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops import arithmetic
from keras_fn.types import Tensor


class Subtract(Merge):
    """Element-wise difference of two tensors: the first minus the second.

    Input shape:
        A list of tensors whose shapes broadcast. Tensors of lower rank get axes of size 1
        after the batch axis.

    Output shape:
        A tensor of the broadcast shape. If every input has a mask, so does the output: the
        union of the masks.

    Raises:
        ValueError: The inputs are not a list, or their shapes are incompatible.

    Example:
        >>> keras.layers.Subtract()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    _at_least = _at_most = 2

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        return arithmetic.subtract(*inputs)


def subtract(inputs: Sequence[Tensor], **kwargs: Unpack[LayerOptions]) -> Tensor:
    """Functional form of the `Subtract` layer.

    Args:
        inputs: A list of two tensors.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.subtract([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Subtract(**kwargs)(inputs)
