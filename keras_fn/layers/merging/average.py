"""Element-wise mean of tensors."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Unpack

from keras_fn.core.dtypes import mean_accumulator_type, result_type
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops import arithmetic
from keras_fn.ops.arithmetic import divide
from keras_fn.ops.core import cast
from keras_fn.types import Tensor


class Average(Merge):
    """Element-wise mean of a list of tensors.

    Input shape:
        A list of tensors whose shapes broadcast. Tensors of lower rank get axes of size 1
        after the batch axis.

    Output shape:
        A tensor of the broadcast shape. If every input has a mask, so does the output: the
        union of the masks.

    Raises:
        ValueError: The inputs are not a list, or their shapes are incompatible.

    Example:
        >>> keras.layers.Average()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        dtype = result_type(*(x.dtype for x in inputs))
        if (accumulator := mean_accumulator_type(dtype)) == dtype:
            return divide(reduce(arithmetic.add, inputs), len(inputs))
        total = reduce(arithmetic.add, [cast(x, accumulator) for x in inputs])
        return cast(divide(total, len(inputs)), dtype)


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
