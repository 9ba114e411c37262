"""Flattening of samples."""

from typing import Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import product
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.manipulation import reshape, transpose
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor


class Flatten(Layer):
    """Flattens each sample to a vector.

    Args:
        data_format: `"channels_last"` or `"channels_first"`, which moves the channels to the
            end first; the configured one by default.

    Input shape:
        A tensor of shape `(batch, ...)`.

    Output shape:
        A tensor of shape `(batch, elements)`.

    Example:
        >>> keras.layers.Flatten()(keras.Input((28, 28, 2))).shape
        (None, 1568)
    """

    compute_mask = drop_mask

    def __init__(self, data_format: str | None = None, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the flattened samples."""
        batch, *sizes = shape_of(inputs)
        if self.data_format == "channels_first" and len(sizes) > 1:
            inputs = transpose(inputs, (0, *range(2, len(sizes) + 1), 1))
        elements = product([size if isinstance(size, int) else None for size in sizes])
        return reshape(inputs, (batch, -1 if elements is None else elements))
