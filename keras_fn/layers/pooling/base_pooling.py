"""Base class of the pooling layers."""

from collections.abc import Callable, Sequence
from typing import Any, Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._arguments import int_tuple, one_of
from keras_fn.layers._options import UnnamedLayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor


class Pooling(Layer):
    """Base class of the pooling layers: each window becomes one element, for each channel."""

    _has_nothing_to_build = True
    compute_mask = drop_mask
    rank: int
    _pool: Callable[..., Any]

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedLayerOptions],
    ):
        super().__init__(name=name, **kwargs)
        self.pool_size = int_tuple(self, "pool_size", pool_size, self.rank)
        strides = self.pool_size if strides is None else strides
        self.strides = int_tuple(self, "strides", strides, self.rank)
        self.padding = one_of(self, "padding", padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the pooled inputs."""
        return self._pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)
