"""Element-wise product of tensors."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge, _mask_like
from keras_fn.ops import arithmetic
from keras_fn.ops.logic import logical_or, where
from keras_fn.types import Tensor


class Multiply(Merge):
    """Element-wise product of a list of tensors.

    An element counts as 1 where its tensor is masked; the product is 0 where all are masked.

    Input shape:
        A list of tensors whose shapes broadcast. Tensors of lower rank get axes of size 1
        after the batch axis.

    Output shape:
        A tensor of the broadcast shape. If every input has a mask, so does the output: the
        union of the masks.

    Raises:
        ValueError: The inputs are not a list, or their shapes are incompatible.

    Example:
        >>> keras.layers.Multiply()([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        if mask is None:
            return reduce(arithmetic.multiply, inputs)
        shown = [m if m is None else _mask_like(m, x) for x, m in zip(inputs, mask, strict=True)]
        factors = [x if m is None else where(m, x, 1) for x, m in zip(inputs, shown, strict=True)]
        product = reduce(arithmetic.multiply, factors)
        present = [m for m in shown if m is not None]
        if len(present) < len(shown):
            return product
        return where(reduce(logical_or, present), product, 0)


def multiply(inputs: Sequence[Tensor], **kwargs: Unpack[LayerOptions]) -> Tensor:
    """Functional form of the `Multiply` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.multiply([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return Multiply(**kwargs)(inputs)
