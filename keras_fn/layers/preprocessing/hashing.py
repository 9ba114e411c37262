"""The hashing of categories."""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.byte_strings import ByteStrings, pack_array, pack_bytes, pack_decimals
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError
from keras_fn.layers._arguments import argument_error, positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.preprocessing._encoding import (
    check_sparse,
    encode_categorical,
    encoded_shape,
)
from keras_fn.layers.preprocessing._host_batch import encode_on_host, flatten, to_text
from keras_fn.layers.preprocessing._integer_hashing import hash_decimals
from keras_fn.layers.preprocessing._string_layer import (
    HashLayer,
    check_output_mode,
    check_salt,
    hash_to_bins,
)
from keras_fn.layers.preprocessing._text_splitting import encode_text
from keras_fn.ops.core import cast
from keras_fn.ops.logic import where
from keras_fn.settings import settings
from keras_fn.types import Shape, Tensor

_OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count")


class Hashing(HashLayer):
    """Feature hashing: maps strings or integers to one of `num_bins` bins by their hash.

    It needs no vocabulary; different values may have the same bin. Integers are hashed as their
    decimal digits. The bins are those of Keras, on every backend.

    Args:
        num_bins: Number of bins, with that of `mask_value`.
        mask_value: The value of masked positions, which has bin 0 alone; None for none.
        salt: The key of SipHash, an integer or two of them. By default the hash is FarmHash64,
            which has no key.
        output_mode: `"int"`: the bin of each value. `"one_hot"`: a vector for each value. For each
            row along the last axis, `"multi_hot"`: 1 for each bin with a value in it; `"count"`:
            the number of values in each bin.
        sparse: Whether vectors are sparse tensors.

    Input shape:
        Strings or integers of any shape: an array, a tensor, a string, or nested lists, also of
        rows of unequal lengths. Floating-point numbers are rounded toward zero.

    Output shape:
        The shape of the input; for `"one_hot"` with an axis of size `num_bins` in the end (in place
        of a last axis of size 1); for the other vectors `(..., num_bins)`.

    Raises:
        ValueError: An argument is invalid.

    References:
        - K. Weinberger et al.,
          [Feature Hashing for Large Scale Multitask Learning](https://arxiv.org/abs/0902.2206),
          2009.
        - J.-P. Aumasson, D. J. Bernstein,
          [SipHash: a fast short-input PRF](https://www.aumasson.jp/siphash/siphash.pdf), 2012.

    Example:
        >>> layer = keras.layers.Hashing(num_bins=3)
        >>> keras.ops.convert_to_numpy(layer([["A"], ["B"], ["C"]])).tolist()
        [[1], [0], [1]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: str | int | None = None,
        salt: int | Sequence[int] | None = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Unpack[LayerOptions],
    ):
        output_mode = check_output_mode(self, output_mode, _OUTPUT_MODES)
        kwargs["dtype"] = vector_dtype(output_mode, kwargs.get("dtype"))
        super().__init__(**kwargs)
        self.num_bins = positive_int(self, "num_bins", num_bins)
        if mask_value is not None and not isinstance(mask_value, (str, int, np.integer)):
            raise argument_error(
                self, "mask_value", "a string, an integer or None", mask_value, "for example ''"
            )
        self.mask_value = mask_value
        self.salt = check_salt(self, salt)
        self.output_mode = output_mode
        self.sparse = check_sparse(self, sparse)
        check_int_dtype(self)

    def _call_on_tensor(self, inputs: Any) -> Tensor:
        count, is_masked = self.num_bins, None
        if self.mask_value is not None and count > 1:
            is_masked, count = self._is_mask(inputs), count - 1
        bins = cast(hash_decimals(inputs, self.salt) % count, "int64")
        if is_masked is not None:
            bins = where(is_masked, 0, bins + 1)
        return encode_categorical(bins, self.output_mode, self.num_bins, self.dtype, self.sparse)

    def _is_mask(self, inputs: Any) -> Any:
        """Returns whether each integer of a tensor is the mask value."""
        if isinstance(self.mask_value, str):
            raise self._not_masked("integers")
        assert self.mask_value is not None  # as the caller knows
        number, limits = int(self.mask_value), np.iinfo(current().dtype_name(inputs))
        # Backends convert the number to the dtype of the tensor, where -1 can be 255.
        return inputs == number if limits.min <= number <= limits.max else False

    def _not_masked(self, received: str) -> DTypeError:
        return DTypeError(
            self._label,
            expected=f"values of the kind of mask_value={self.mask_value!r}",
            received=received,
            fix="set a mask_value of the kind of the inputs",
        )

    def _call_on_host(self, inputs: Any) -> Any:
        batch = flatten(inputs, self._label)
        values = batch.values
        count, is_masked = self.num_bins, None
        if self.mask_value is not None and count > 1:
            is_masked, count = self._find_masked(values), count - 1
        bins = hash_to_bins(pack_values(values, self._label), count, self.salt)
        if is_masked is not None:
            bins = np.where(is_masked, 0, bins + 1)
        return encode_on_host(bins, batch, self.output_mode, self.num_bins, self.dtype, self.sparse)

    def _find_masked(self, values: Any) -> np.ndarray:
        """Returns whether each value is the mask value."""
        array = np.asarray(values)
        is_number = array.dtype.kind in "biuf"
        if array.size and is_number == isinstance(self.mask_value, str):
            raise self._not_masked(f"an array of dtype {array.dtype}")
        if is_number:
            return array == self.mask_value
        text = to_text(values, "utf-8", self._label)
        return np.fromiter((value == self.mask_value for value in text), bool, len(text))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Returns the shape of the output: with a last axis of size `num_bins` for vectors.

        Args:
            input_shape: The shape of the input.
        """
        return encoded_shape(tuple(input_shape), self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: KerasTensor) -> KerasTensor:
        """Returns the shape and the dtype of the output.

        Args:
            inputs: A symbolic tensor.
        """
        shape = self.compute_output_shape(inputs.shape)
        return KerasTensor(shape, self.dtype, sparse=self.sparse, record_history=False)


def vector_dtype(output_mode: str, dtype: Any) -> Any:
    """Returns the dtype of hashed categories: that of the argument, by default of the mode.

    Args:
        output_mode: `"int"`, or a mode of vectors.
        dtype: The argument of the layer.
    """
    if dtype is not None:
        return dtype
    return "int64" if output_mode == "int" else settings.floatx


def check_int_dtype(layer: Any) -> None:
    """Raises an error if a layer's bins would not be integers.

    Args:
        layer: A layer with `output_mode`.

    Raises:
        SpecError: Its dtype holds no bins.
    """
    if layer.output_mode == "int" and layer.dtype not in ("int32", "int64"):
        raise argument_error(
            layer, "dtype", "'int32' or 'int64', as output_mode='int'", layer.dtype, "remove dtype"
        )


def pack_values(values: Any, source: str) -> ByteStrings:
    """Returns strings, or integers as decimal strings, in one buffer.

    Args:
        values: An array of one axis, or a list.
        source: The layer, for errors.

    Raises:
        DTypeError: They are neither.
    """
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    kind = array.dtype.kind
    if kind == "b":
        return pack_decimals(array.astype(np.int8))
    if kind in "iu":
        return pack_decimals(array)
    if kind == "f":
        return pack_decimals(array.astype(np.int64))
    packed = pack_array(array)
    if packed is not None:
        return packed
    return pack_bytes(encode_text(to_text(values, "utf-8", source)))
