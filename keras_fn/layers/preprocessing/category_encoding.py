"""Encoding of integer categories as vectors."""

from typing import Any, Unpack

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context
from keras_fn.core.tracing import is_dynamo_compiling
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error, one_of, positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.preprocessing._encoding import encode_categorical, encoded_shape
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.ops.core import convert_to_tensor
from keras_fn.types import Nested, Shape, Tensor, TensorLike

_MODES = ("multi_hot", "one_hot", "count")


class CategoryEncoding(DataLayer):
    """One-hot, multi-hot or count encoding of integer categories.

    Args:
        num_tokens: The number of categories: the integers are from 0 to `num_tokens - 1`.
        output_mode: `"one_hot"`: a vector with 1 at the index for each integer, in place of a last
            axis of size 1. For each row along the last axis, `"multi_hot"`: a vector with 1 at each
            integer that occurs; `"count"`: the number of times that each integer occurs, or the
            sum of its weights.
        sparse: Whether the vectors are a sparse tensor.

    Input shape:
        A tensor of integers of any shape, `(..., n)`.

    Output shape:
        A tensor of floats: `(..., n, num_tokens)` for `"one_hot"`, where n is not 1 or there is one
        axis alone, and `(..., num_tokens)` otherwise.

    Raises:
        ValueError: `num_tokens` is missing, or in a call, values are known that are out of range.

    Example:
        >>> layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
        >>> convert_to_numpy(layer(np.array([[0, 1, 1]]))).tolist()
        [[1.0, 2.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        if num_tokens is None:
            raise argument_error(
                self,
                "num_tokens",
                "the number of categories",
                num_tokens,
                "pass it, or use IntegerLookup, which finds the categories of a data set",
            )
        self.num_tokens = positive_int(self, "num_tokens", num_tokens)
        mode = "multi_hot" if output_mode == "binary" else output_mode  # its former name
        self.output_mode = one_of(self, "output_mode", mode, _MODES)
        self.sparse = sparse
        self.autocast = False  # half precision represents few integers exactly

    def call(self, inputs: Tensor, count_weights: TensorLike | None = None) -> Tensor:
        """Returns the vectors.

        Args:
            inputs: The integers.
            count_weights: The weight of each integer, of the same shape; with `"count"` alone.
        """
        self._check_mode(count_weights)
        inputs = convert_to_tensor(inputs)
        self._check_range(inputs)
        return encode_categorical(
            inputs,
            self.output_mode,
            self.num_tokens,
            self.compute_dtype,
            self.sparse,
            count_weights,
        )

    def _check_mode(self, count_weights: Any) -> None:
        if count_weights is not None and self.output_mode != "count":
            raise SpecError(
                self._label,
                expected="count_weights with output_mode='count' alone",
                received=f"count_weights with output_mode={self.output_mode!r}",
                fix="leave count_weights out, or choose output_mode='count'",
            )

    def _check_range(self, inputs: Any) -> None:
        """Refuses integers out of range, where their values are known: in no compiled function."""
        if context.current.symbolic or is_dynamo_compiling() or isinstance(inputs, KerasTensor):
            return
        if current().is_traced(inputs):
            return
        values = np.asarray(current().convert_to_numpy(inputs))
        if values.size and (values.min() < 0 or values.max() >= self.num_tokens):
            raise SpecError(
                self._label,
                expected=f"integers from 0 to {self.num_tokens - 1}",
                received=f"integers from {values.min()} to {values.max()}",
                fix="pass a larger num_tokens, or map the categories to such integers first, for "
                "example with IntegerLookup",
            )

    def compute_output_spec(self, inputs: Nested, count_weights: Nested = None) -> Nested:
        """Returns the shape and dtype of the output."""
        self._check_mode(count_weights)
        shape = self.compute_output_shape(inputs.shape)
        return KerasTensor(shape, self.compute_dtype, self.sparse, record_history=False)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Returns the shape of the output for the shape of an input."""
        return encoded_shape(tuple(input_shape), self.output_mode, self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        config = super().get_config()
        if not self.sparse:  # Keras never writes it
            del config["sparse"]
        return config
