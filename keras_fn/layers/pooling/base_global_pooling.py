"""Base class of the global pooling layers."""

from typing import Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.settings import standardize_data_format


class GlobalPooling(Layer):
    """Base class of the global pooling layers: each channel becomes one element."""

    _has_nothing_to_build = True
    compute_mask = drop_mask
    rank: int

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[LayerOptions]
    ):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))
        self.input_spec = InputSpec(ndim=self.rank + 2)
