"""The lookup of strings in a vocabulary."""

import os
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from keras_fn.core.byte_strings import ByteStrings, pack_array, pack_bytes
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers.preprocessing._host_batch import is_utf8, to_text
from keras_fn.layers.preprocessing._string_layer import StringLookupOptions
from keras_fn.layers.preprocessing._text_splitting import encode_text
from keras_fn.layers.preprocessing._token_table import IntegerTable, TokenTable
from keras_fn.layers.preprocessing.index_lookup import IndexLookup
from keras_fn.types import PathLike, TensorLike

_UNKNOWN = -2
_MANY = 1 << 18  # elements of an array that is worth a look at the addresses of some
_SAMPLE = 1 << 16


class StringLookup(IndexLookup):
    """Vocabulary lookup: maps strings to integer indices, or to vectors of them, or back.

    The indices begin with the mask token, if there is one, and those of out-of-vocabulary (OOV)
    strings; the tokens of the vocabulary follow. The vocabulary is passed, or learned with `adapt`.
    The layer computes on the host, with the same result on every backend: outside of a model, in a
    data pipeline, or as a first layer of a model, before the compiled step.

    Args:
        max_tokens: Maximum size of the vocabulary, with the mask token and the OOV indices. None
            for no limit.
        num_oov_indices: Number of indices for OOV strings. With more than one, their hash chooses;
            with 0, an OOV string is an error.
        mask_token: The string of masked positions: it has index 0 with `output_mode="int"`, and is
            in no vector. None for none.
        oov_token: The string that stands for OOV indices, with `invert=True` and in
            `get_vocabulary()`.
        vocabulary: The tokens in the order of their indices: a list, an array or a tensor; or the
            path of a text file with one token in each line. None if the layer will be adapted.
        idf_weights: The inverse document frequency of each token, for `output_mode="tf_idf"`.
        invert: Whether integers are mapped to strings.
        output_mode: `"int"`: the index of each string. `"one_hot"`: a vector for each string.
            For each row along the last axis, `"multi_hot"`: 1 for each token that is in it;
            `"count"`: how often it is in it; `"tf_idf"`: that number times its inverse document
            frequency. Vectors have the size of the vocabulary.
        pad_to_max_tokens: Whether vectors have the size `max_tokens`.
        sparse: Whether vectors are sparse tensors.
        encoding: Encoding of strings that are passed as bytes, and of a vocabulary file.
        name: The name of the layer.
        salt: The key with which SipHash chooses among several OOV indices: an integer or two of
            them. FarmHash64 by default.

    Input shape:
        Strings of any shape: an array (of dtype `object`, `U`, `S` or `StringDType`), a tensor of
        strings, a string, or nested lists, also of rows of unequal lengths. With `invert=True`,
        integers.

    Output shape:
        The shape of the input; for `"one_hot"` with an axis of the vocabulary's size in the end (in
        place of a last axis of size 1); for the other vectors `(..., vocabulary_size)`. Strings are
        an array of objects where the framework has no tensors of strings. Rows of unequal lengths
        give a ragged tensor, or a list of tensors where the framework has none.

    Raises:
        ValueError: An argument is invalid, or two of them exclude each other.

    Example:
        >>> layer = keras.layers.StringLookup(vocabulary=["cat", "dog"])
        >>> keras.ops.convert_to_numpy(layer(["dog", "cow", "cat"])).tolist()
        [2, 0, 1]
        >>> layer = keras.layers.StringLookup(output_mode="count")
        >>> layer.adapt([["a", "b"], ["a", "c"]])
        >>> layer.get_vocabulary()
        ['[UNK]', 'a', 'c', 'b']
        >>> keras.ops.convert_to_numpy(layer([["a", "b", "a"]])).tolist()
        [[0.0, 2.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: TensorLike | PathLike | None = None,
        idf_weights: TensorLike | None = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: int | Sequence[int] | None = None,
        **kwargs: Unpack[StringLookupOptions],
    ):
        self.encoding = check_encoding(self, encoding)
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary_dtype="string",
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            salt=salt,
            name=name,
            **kwargs,
        )

    def _check_special(self, mask_token: Any, oov_token: Any) -> tuple[Any, Any]:
        for argument, token in (("mask_token", mask_token), ("oov_token", oov_token)):
            if token is not None and not isinstance(token, str):
                raise argument_error(
                    self, argument, "a string or None", token, f"for example {argument}='[UNK]'"
                )
        return mask_token, oov_token

    def _to_tokens(self, vocabulary: Any) -> list[str]:
        if isinstance(vocabulary, (str, os.PathLike)):
            return self._read_file(vocabulary, self.encoding)
        values = self._to_host(vocabulary)
        if np.ndim(values) != 1:
            raise argument_error(
                self, "vocabulary", "a list of strings", vocabulary, "for example ['cat', 'dog']"
            )
        flat = values.ravel() if isinstance(values, np.ndarray) else values
        return to_text(flat, self.encoding, f"{self._label}, vocabulary")

    def _to_countable(self, values: Any) -> list[str]:
        return to_text(values, self.encoding, self._label)

    def _list_reserved(self) -> list[Any]:
        reserved = super()._list_reserved()
        return reserved + encode_text([token for token in reserved if token is not None])

    def _from_countable(self, tokens: list[Any]) -> list[str]:
        return to_text(tokens, "utf-8", self._label)  # TextVectorization counts bytes

    def _lookup(self, values: Any) -> np.ndarray:
        if isinstance(values, np.ndarray) and values.dtype.kind not in "OUST":
            raise self._not_strings(f"an array of dtype {values.dtype}")
        kinds = "US" if is_utf8(self.encoding) else "U"
        if isinstance(values, np.ndarray) and values.dtype.kind in kinds:
            packed = pack_array(values)
            if packed is not None:
                return self._lookup_bytes(packed)
        if isinstance(values, np.ndarray) and values.dtype.kind != "O":
            values = to_text(values, self.encoding, self._label)
        if len(values) >= _MANY and isinstance(values, np.ndarray):
            return self._lookup_references(values)
        return self._lookup_strings(values)

    def _lookup_references(self, values: np.ndarray) -> np.ndarray:
        """Returns the index of each element of a large array of objects.

        Where many elements are one object, as in columns of categories, there are much fewer
        addresses of objects than elements.
        """
        addresses = np.frombuffer(np.ascontiguousarray(values), np.intp).astype(
            np.int64, copy=False
        )
        known, rows = np.unique(addresses[:_SAMPLE], return_index=True)
        if len(known) > _SAMPLE // 2:
            return self._lookup_strings(values)
        ids = self._lookup_strings(values[rows])
        places = IntegerTable(known).lookup(addresses)
        result = ids.take(places, mode="wrap")
        unknown = np.flatnonzero(places < 0)
        if len(unknown):
            result[unknown] = self._lookup_strings(values[unknown])
        return result

    def _lookup_strings(self, values: Any) -> np.ndarray:
        """Returns the index of each element of an array of objects, or of a list."""
        table = self._tables.get("strings")
        if table is None:
            table = self._tables["strings"] = _IdsOfTokens(self._key_ids())
        try:
            ids = np.fromiter(map(table.__getitem__, values), np.int64, len(values))
        except TypeError:  # what cannot be hashed
            to_text(values, self.encoding, self._label)
            raise
        rows = np.flatnonzero(ids == _UNKNOWN)
        if len(rows):
            unknown = [values[row] for row in rows.tolist()]
            ids[rows] = self._unknown_ids(unknown)
        return ids

    def _unknown_ids(self, values: list[Any]) -> np.ndarray | int:
        """Returns the index of each element that is not a key of the table: bytes are decoded."""
        types = set(map(type, values))
        if not types <= {str}:
            text = to_text(values, self.encoding, self._label)
            if any(issubclass(cls, bytes) for cls in types):
                return self._lookup_strings(text)
            values = text
        return self._oov_ids(
            lambda: values, lambda: self._choose_by_hash(pack_bytes(encode_text(values)))
        )

    def _lookup_bytes(self, strings: ByteStrings) -> np.ndarray:
        """Returns the index of each byte string, in UTF-8."""
        table = self._tables.get("bytes")
        tokens = self._tokens or []
        if table is None:
            special = [] if self.mask_token is None else [self.mask_token]
            table = self._tables["bytes"] = TokenTable(encode_text([*tokens, *special]))
        ids = table.lookup(strings)
        unknown = np.flatnonzero(ids < 0)
        ids += self._token_start
        if self.mask_token is not None:
            ids[ids == self._token_start + len(tokens)] = self._mask_id
        if len(unknown):
            rest = strings.take(unknown)
            ids[unknown] = self._oov_ids(
                lambda: to_text(rest.tolist(), "utf-8", self._label),
                lambda: self._choose_by_hash(rest),
            )
        return ids

    def _check_spec(self, inputs: KerasTensor) -> None:
        if not self.invert and inputs.dtype != "string":
            raise self._not_strings(f"dtype {inputs.dtype}")
        if self.invert and inputs.dtype == "string":
            raise self._not_strings("strings", expected="indices, as invert=True")

    def _not_strings(self, received: str, expected: str = "strings") -> DTypeError:
        return DTypeError(
            self._label,
            expected=expected,
            received=received,
            fix="for strings Input(shape, dtype='string'); integers are looked up by IntegerLookup",
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor; a learned vocabulary is not among them."""
        config = {**super().get_config(), "encoding": self.encoding}
        del config["vocabulary_dtype"]
        return config


class _IdsOfTokens(dict[Any, int]):
    """The indices of tokens; a token that is missing has the index -2."""

    def __missing__(self, key: Any) -> int:
        return _UNKNOWN


def check_encoding(layer: object, encoding: Any) -> str:
    """Returns the name of an encoding, after checking that Python knows it.

    Args:
        layer: The layer.
        encoding: The argument.

    Raises:
        SpecError: There is no such encoding.
    """
    try:
        b"".decode(encoding)
        "".encode(encoding)
    except (LookupError, TypeError):
        raise argument_error(
            layer, "encoding", "the name of an encoding", encoding, "for example 'utf-8'"
        ) from None
    return encoding
