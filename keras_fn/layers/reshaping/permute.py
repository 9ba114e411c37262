"""Permutation of axes."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.manipulation import transpose
from keras_fn.types import Tensor


class Permute(Layer):
    """Permutes the axes of each sample.

    Args:
        dims: The axes of the input in the new order, counted from 1, without the batch axis.

    Input shape:
        A tensor of `len(dims)` axes and the batch axis.

    Output shape:
        A tensor of the same rank, with permuted axes.

    Raises:
        ValueError: `dims` is not a permutation of 1, 2, and so on.

    Example:
        >>> keras.layers.Permute((2, 1))(keras.Input((10, 64))).shape
        (None, 64, 10)
    """

    compute_mask = drop_mask

    def __init__(self, dims: Sequence[int], **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        if not isinstance(dims, (list, tuple)) or sorted(dims) != list(range(1, len(dims) + 1)):
            raise argument_error(
                self,
                "dims",
                "each axis once, counted from 1 (the batch axis stays)",
                dims,
                "for example dims=(2, 1)",
            )
        self.dims = tuple(dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the inputs with permuted axes."""
        return transpose(inputs, (0, *self.dims))
