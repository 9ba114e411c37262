"""Base class of the adaptive pooling layers."""

from collections.abc import Callable, Sequence
from typing import Any, Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._arguments import int_tuple
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor


class AdaptivePooling(Layer):
    """Base class of the adaptive pooling layers: as many windows as the output has elements."""

    compute_mask = drop_mask
    rank: int
    _pool: Callable[..., Any]

    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.output_size = int_tuple(self, "output_size", output_size, self.rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the pooled inputs."""
        return self._pool(inputs, self.output_size, self.data_format)
