"""Element-wise sum of tensors."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Unpack

from keras_fn.layers._docstrings import inherit_sections
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops import arithmetic
from keras_fn.types import Tensor


@inherit_sections
class Add(Merge):
    """Element-wise sum of a list of tensors.

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
