"""The lookup of integers in a vocabulary."""

import os
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from keras_fn.core.byte_strings import pack_decimals
from keras_fn.core.dtypes import stored_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers.preprocessing._encoding import encode_categorical
from keras_fn.layers.preprocessing._integer_hashing import hash_decimals
from keras_fn.layers.preprocessing._string_layer import LookupOptions, is_traced_tensor
from keras_fn.layers.preprocessing._token_table import IntegerTable
from keras_fn.layers.preprocessing.index_lookup import IndexLookup
from keras_fn.ops.arithmetic import minimum, mod
from keras_fn.ops.core import cast
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import equal, greater_equal, less, logical_and, where
from keras_fn.ops.sorting_searching import searchsorted
from keras_fn.settings import settings
from keras_fn.types import PathLike, Tensor, TensorLike

_UNKNOWN = -2
_DENSE_RANGE = 1 << 16  # a table of as many entries is small
_DENSE_FACTOR = 8  # entries for each token of a table that holds a range of integers


class IntegerLookup(IndexLookup):
    """Vocabulary lookup: maps integers, such as identifiers, to indices, or to vectors, or back.

    As `StringLookup`, for integers. For integers that are already 0 to n - 1, `CategoryEncoding`
    needs no vocabulary.

    Args:
        max_tokens: Maximum size of the vocabulary, with the mask token and the OOV indices. None
            for no limit.
        num_oov_indices: Number of indices for out-of-vocabulary (OOV) integers. With more than one,
            `oov_method` chooses; with 0, an OOV integer is an error.
        mask_token: The integer of masked positions: it has index 0 with `output_mode="int"`, and is
            in no vector. None for none.
        oov_token: The integer that stands for OOV indices, with `invert=True` and in
            `get_vocabulary()`.
        vocabulary: The integers in the order of their indices: a list, an array or a tensor; or the
            path of a text file with one integer in each line. None if the layer will be adapted.
        vocabulary_dtype: `"int64"`.
        idf_weights: The inverse document frequency of each integer, for `output_mode="tf_idf"`.
        invert: Whether indices are mapped to integers of the vocabulary.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`, as in
            `StringLookup`.
        sparse: Whether vectors are sparse tensors.
        pad_to_max_tokens: Whether vectors have the size `max_tokens`.
        oov_method: How one of several OOV indices is chosen: `"floormod"`, the remainder of the
            integer, or `"farmhash"`, a hash of its decimal digits, which spreads any integers.
        salt: The key with which SipHash chooses instead of FarmHash64: an integer or two of them.
        name: The name of the layer.

    Input shape:
        Integers of any shape: an array, a tensor, a number, or nested lists, also of rows of
        unequal lengths.

    Output shape:
        As of `StringLookup`.

    Raises:
        ValueError: An argument is invalid, or two of them exclude each other.

    Example:
        >>> layer = keras.layers.IntegerLookup(vocabulary=[12, 36, 1138])
        >>> keras.ops.convert_to_numpy(layer([[36, 12], [7, 1138]])).tolist()
        [[2, 1], [0, 3]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: TensorLike | PathLike | None = None,
        vocabulary_dtype: str = "int64",
        idf_weights: TensorLike | None = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: int | Sequence[int] | None = None,
        name: str | None = None,
        **kwargs: Unpack[LookupOptions],
    ):
        if vocabulary_dtype != "int64":
            raise argument_error(
                self, "vocabulary_dtype", "'int64'", vocabulary_dtype, "remove vocabulary_dtype"
            )
        if salt is not None and oov_method != "farmhash":
            raise argument_error(
                self, "salt", "None, as oov_method='floormod'", salt, "set oov_method='farmhash'"
            )
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary_dtype=vocabulary_dtype,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            salt=salt,
            name=name,
            **kwargs,
        )

    def _check_special(self, mask_token: Any, oov_token: Any) -> tuple[Any, Any]:
        checked = []
        for argument, token in (("mask_token", mask_token), ("oov_token", oov_token)):
            is_int = isinstance(token, (int, np.integer)) and not isinstance(token, bool)
            if token is not None and not is_int:
                raise argument_error(
                    self, argument, "an integer or None", token, f"for example {argument}=-1"
                )
            checked.append(None if token is None else int(token))
        return checked[0], checked[1]

    def _to_tokens(self, vocabulary: Any) -> list[int]:
        if isinstance(vocabulary, (str, os.PathLike)):
            return self._read_file(vocabulary)
        values = np.asarray(self._to_host(vocabulary))
        if values.ndim != 1:
            raise argument_error(
                self, "vocabulary", "a list of integers", vocabulary, "for example [12, 36]"
            )
        if values.dtype.kind not in "iu" and values.size:
            raise self._not_integers(values)
        return [int(value) for value in values.ravel().tolist()]

    def _parse_tokens(self, lines: list[str]) -> list[int]:
        try:
            return np.array([int(line) for line in lines], np.int64).tolist()
        except (ValueError, OverflowError) as error:
            raise SpecError(
                f"{self._label}, vocabulary",
                expected="one integer of 64 bits in each line",
                received=str(error)[:100],
                fix="for strings use StringLookup",
            ) from None

    def _to_integers(self, values: Any) -> np.ndarray:
        """Returns the elements of a batch as int64."""
        array = np.asarray(values)
        if array.dtype.kind not in "biuf" and array.size:
            raise self._not_integers(array)
        return array.astype(np.int64)

    def _to_countable(self, values: Any) -> list[int]:
        return self._to_integers(values).tolist()

    def _lookup(self, values: Any) -> np.ndarray:
        numbers = self._to_integers(values)
        ids = self._table().lookup(numbers)
        unknown = np.flatnonzero(ids == _UNKNOWN)
        if len(unknown):
            rest = numbers[unknown]
            ids[unknown] = self._oov_ids(rest.tolist, lambda: self._choose_oov(rest))
        return ids

    def _choose_oov(self, numbers: np.ndarray) -> np.ndarray:
        """Returns a number below `num_oov_indices` for each integer."""
        if self.oov_method == "floormod":
            return numbers % self.num_oov_indices
        return self._choose_by_hash(pack_decimals(numbers))

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if any(map(is_traced_tensor, arguments.values())):
            return arguments
        return super()._convert_inputs(arguments)

    def call(self, inputs: TensorLike) -> Tensor:
        """Returns the outputs.

        Args:
            inputs: Integers: an array, a tensor, or nested lists. In compiled functions a tensor.
        """
        if is_traced_tensor(inputs):
            return self._call_on_tensor(cast(inputs, "int64"))
        return super().call(inputs)

    def _call_on_tensor(self, numbers: Tensor) -> Tensor:
        """Returns the outputs by ops, in a compiled function."""
        if self._tokens is None:
            raise self._no_vocabulary()
        if self.invert:
            tokens = np.array([*self.get_vocabulary(), self.oov_token], np.int64)
            self._check_range(tokens)
            unknown = len(tokens) - 1
            is_known = logical_and(greater_equal(numbers, 0), less(numbers, unknown))
            return take(tokens, where(is_known, numbers, unknown))
        keys, ids = self._table().within(stored_dtype("int64"))
        places = minimum(searchsorted(keys, numbers), len(keys) - 1)
        is_known = equal(take(keys, places), numbers)
        result = where(is_known, take(ids, places), self._tensor_oov(numbers))
        if self.output_mode == "int":
            return result
        return encode_categorical(
            result,
            self.output_mode,
            self._depth or 0,
            settings.floatx,
            self.sparse,
            idf_weights=self._idf_weights,
        )

    def _tensor_oov(self, numbers: Tensor) -> Any:
        """Returns the OOV index of each of some integers, in a compiled function."""
        if self.num_oov_indices == 1:
            return self._oov_start
        if self.num_oov_indices > 1 and self.oov_method == "floormod":
            return mod(numbers, self.num_oov_indices) + self._oov_start
        if self.num_oov_indices > 1:
            return cast(hash_decimals(numbers, self.salt) % self.num_oov_indices, "int64") + (
                self._oov_start
            )
        raise DTypeError(
            self._label,
            expected="an OOV index or more, in compiled functions",
            received="num_oov_indices=0",
            fix="call the layer outside of compiled functions: map it over the data set",
        )

    def _table(self) -> "_IndexTable":
        table = self._tables.get("integers")
        if table is None:
            table = self._tables["integers"] = _IndexTable(self._key_ids())
        return table

    def _check_spec(self, inputs: KerasTensor) -> None:
        if inputs.dtype == "string":
            raise self._not_integers(inputs)

    def _not_integers(self, received: Any) -> DTypeError:
        return DTypeError(
            self._label,
            expected="integers",
            received=f"{str(received)[:80]} of dtype {received.dtype}",
            fix="for strings use StringLookup",
        )


class _IndexTable:
    """A table of the indices of integers: dense over their range if that is small, else hashed.

    Args:
        ids: The index of each integer.
    """

    def __init__(self, ids: dict[int, int]):
        count = len(ids)
        keys = np.fromiter(ids.keys(), np.int64, count)
        order = np.argsort(keys)
        self.keys, self.ids = keys[order], np.fromiter(ids.values(), np.int64, count)[order]
        span = int(self.keys[-1]) - int(self.keys[0]) + 1 if count else 0
        self.dense: np.ndarray | None = None
        self.table: IntegerTable | None = None
        if 0 < span <= max(_DENSE_RANGE, _DENSE_FACTOR * count):
            self.dense = np.full(span + 1, _UNKNOWN, np.int64)  # the last entry is for all others
            self.dense[self.keys - self.keys[0]] = self.ids

    def within(self, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns sorted integers and their indices; without those that a dtype cannot hold.

        Args:
            dtype: `"int32"` or `"int64"`.
        """
        limits = np.iinfo(dtype)
        fits = (self.keys >= limits.min) & (self.keys <= limits.max)
        return self.keys[fits].astype(dtype), self.ids[fits].astype(dtype)

    def lookup(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the index of each of some integers, -2 for those that are not in the table.

        Args:
            numbers: Integers of dtype int64.
        """
        if not len(self.keys):
            return np.full(len(numbers), _UNKNOWN, np.int64)
        if self.dense is not None:
            last = len(self.dense) - 1
            with np.errstate(over="ignore"):
                offsets = (numbers - self.keys[0]).view(np.uint64)  # those below it become large
            return self.dense.take(np.minimum(offsets, np.uint64(last)).astype(np.int64))
        if self.table is None:
            self.table = IntegerTable(self.keys)
        places = self.table.lookup(numbers)
        return np.where(places >= 0, self.ids.take(places, mode="wrap"), _UNKNOWN)
