"""Element-wise mean of tensors."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Unpack

from keras_fn.layers._docstrings import inherit_sections
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops import arithmetic
from keras_fn.ops.arithmetic import divide
from keras_fn.types import Tensor


@inherit_sections
class Average(Merge):
    """Element-wise mean of a list of tensors.

    Example:
        >>> keras.layers.Average()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        return divide(reduce(arithmetic.add, inputs), len(inputs))


def average(inputs: Sequence[Tensor], **kwargs: Unpack[LayerOptions]) -> Tensor:
    """Functional form of the `Average` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.average([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Average(**kwargs)(inputs)
