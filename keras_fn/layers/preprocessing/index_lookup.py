"""The base class of layers that map tokens to indices of a vocabulary, or back."""

import os
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Self, Unpack

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.byte_strings import ByteStrings
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError, SpecError, check_choice, missing_method
from keras_fn.layers._arguments import argument_error, check_flag, is_int_at_least
from keras_fn.layers._config import base_config
from keras_fn.layers.preprocessing._adapt import iterate_batches
from keras_fn.layers.preprocessing._encoding import OUTPUT_MODES, check_sparse, encoded_shape
from keras_fn.layers.preprocessing._host_batch import HostBatch, encode_on_host, flatten
from keras_fn.layers.preprocessing._string_layer import (
    LookupOptions,
    StringHostLayer,
    check_output_mode,
    check_salt,
    hash_to_bins,
    to_whole,
)
from keras_fn.layers.preprocessing._vocabulary import (
    Token,
    TokenCounts,
    check_no_path,
    check_tokens,
    load_vocabulary,
    read_vocabulary,
    save_vocabulary,
    strip_special,
)
from keras_fn.settings import settings
from keras_fn.types import DataLike, PathLike, Shape, TensorLike

_OOV_METHODS = ("floormod", "farmhash")


class IndexLookup(StringHostLayer):
    """Base class of lookup layers: a vocabulary, how it is learned, saved and looked up.

    Args:
        max_tokens: Maximum size of the vocabulary with its special tokens; None for no limit.
        num_oov_indices: Number of indices for tokens that are out of the vocabulary (OOV).
        mask_token: The token of masked positions; None for none.
        oov_token: The token that stands for OOV indices.
        vocabulary_dtype: `"string"` or `"int64"`.
        vocabulary: The tokens, or the path of a file; None if the layer will be adapted.
        idf_weights: The inverse document frequencies of the tokens.
        invert: Whether indices are mapped to tokens.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
        sparse: Whether vectors are sparse tensors.
        pad_to_max_tokens: Whether vectors have `max_tokens` elements.
        oov_method: How integers are mapped to several OOV indices: `"floormod"` or `"farmhash"`.
        salt: The key of SipHash for several OOV indices: an integer or two of them.
        name: The name of the layer.
        **kwargs: `trainable` and `dtype`, which make no difference, and what configs of Keras have.
    """

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary_dtype: str,
        vocabulary: TensorLike | PathLike | None = None,
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
        options: dict[str, Any] = {**kwargs}
        size = options.pop("vocabulary_size", None)
        is_static = options.pop("has_input_vocabulary", vocabulary is not None)
        super().__init__(name=name, **options)
        self.vocabulary_dtype = vocabulary_dtype
        self.output_mode = check_output_mode(self, output_mode, OUTPUT_MODES)
        self.invert = check_flag(self, "invert", invert)
        self.sparse = check_sparse(self, sparse)
        self.pad_to_max_tokens = check_flag(self, "pad_to_max_tokens", pad_to_max_tokens)
        self._set_size_arguments(max_tokens, num_oov_indices)
        self.mask_token, self.oov_token = self._check_special(mask_token, oov_token)
        self.oov_method = check_choice(type(self).__name__, "oov_method", oov_method, _OOV_METHODS)
        self.salt = check_salt(self, salt)
        self._check_combination(idf_weights)
        self._tokens: list[Any] | None = None  # of the vocabulary, without special ones
        self._tables: dict[str, Any] = {}  # what lookups need, made when it is first needed
        self._idf_weights: np.ndarray | None = None
        self._spec_size = size  # the size of the vocabulary that symbolic calls go by
        self._is_size_used = False
        self._counts: TokenCounts | None = None
        self._is_static = is_static  # whether the vocabulary was passed to the constructor
        self.input_vocabulary: list[Token] | None = None  # what the config has of it
        self.input_idf_weights: list[float] | None = None
        if vocabulary is not None:
            self._set_input_vocabulary(vocabulary, idf_weights)

    def _set_size_arguments(self, max_tokens: int | None, num_oov_indices: int) -> None:
        if max_tokens is not None and not is_int_at_least(max_tokens, 2):
            expected = "an integer of 2 or more, or None"
            raise argument_error(
                self, "max_tokens", expected, max_tokens, "for example max_tokens=10000"
            )
        if not is_int_at_least(num_oov_indices, 0):
            raise argument_error(
                self, "num_oov_indices", "an integer of 0 or more", num_oov_indices, "for example 1"
            )
        if self.pad_to_max_tokens and max_tokens is None:
            raise argument_error(
                self, "max_tokens", "an integer, as pad_to_max_tokens=True", None, "set max_tokens"
            )
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices

    def _check_special(self, mask_token: Any, oov_token: Any) -> tuple[Any, Any]:
        """Returns the special tokens in the type of the vocabulary. Subclasses define it."""
        return mask_token, oov_token

    def _check_combination(self, idf_weights: Any) -> None:
        if self.invert and self.output_mode != "int":
            raise argument_error(
                self, "output_mode", "'int', as invert=True", self.output_mode, "remove output_mode"
            )
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise argument_error(
                self,
                "idf_weights",
                f"None, as output_mode={self.output_mode!r}",
                idf_weights,
                "set output_mode='tf_idf', or remove idf_weights",
            )
        if self.invert and self.oov_token is None:
            raise argument_error(
                self, "oov_token", "a token, as invert=True", None, "set oov_token"
            )

    def _set_input_vocabulary(self, vocabulary: Any, idf_weights: Any) -> None:
        is_path = isinstance(vocabulary, (str, os.PathLike))
        self.set_vocabulary(vocabulary, idf_weights)
        if not is_path:  # of a file, the saved model keeps the tokens as an asset
            self.input_vocabulary = self._to_tokens(vocabulary)
        if idf_weights is not None:
            self.input_idf_weights = np.asarray(self._to_host(idf_weights), float).tolist()

    # ---------------------------------------------------------------- the vocabulary

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    @property
    def _special(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    @property
    def idf_weights(self) -> Any:
        """The inverse document frequencies of all indices, as a tensor; None without them."""
        if self._idf_weights is None:
            return None
        return current().convert_to_tensor(self._idf_weights)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Returns the tokens of the vocabulary, in the order of their indices.

        Args:
            include_special_tokens: Whether to begin with the mask token and the OOV tokens, so that
                the position of each token is its index.
        """
        special = self._special if include_special_tokens else []
        return special + (self._tokens or [])

    def vocabulary_size(self) -> int:
        """Returns the number of indices: of the tokens, and of special ones."""
        return self._token_start + len(self._tokens or ())

    def set_vocabulary(
        self, vocabulary: TensorLike | PathLike, idf_weights: TensorLike | None = None
    ) -> None:
        """Sets the vocabulary, instead of learning it with `adapt`.

        Args:
            vocabulary: The tokens in the order of their indices: a list, an array or a tensor; or
                the path of a text file with one token in each line. With or without the special
                tokens at the beginning.
            idf_weights: The inverse document frequency of each of these tokens, for
                `output_mode="tf_idf"`. If they lack the special tokens, these have the mean.

        Raises:
            ValueError: The vocabulary is empty, holds a token twice or a special token in another
                place, or has more than `max_tokens` tokens.
        """
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise argument_error(
                self,
                "idf_weights",
                "a weight for each token with output_mode='tf_idf', and None without it",
                idf_weights,
                "the two belong together",
            )
        try:
            tokens = self._to_tokens(vocabulary)
        except DTypeError as error:
            raise error.with_source(f"{self._label}, vocabulary") from None
        tokens, has_special = strip_special(tokens, self._special)
        self._check_tokens(tokens)
        size = self._token_start + len(tokens)
        weights = None
        if idf_weights is not None:
            weights = self._check_weights(idf_weights, size if has_special else len(tokens))
        self.input_vocabulary = self.input_idf_weights = None
        self._set_tokens(tokens, weights, has_special)

    def _check_tokens(self, tokens: list[Any]) -> None:
        oov_token = self.oov_token if self.invert else None  # elsewhere no token becomes it
        check_tokens(tokens, {"mask_token": self.mask_token, "oov_token": oov_token}, self._label)
        size = self._token_start + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise SpecError(
                self._label,
                expected=f"at most max_tokens={self.max_tokens} tokens, special ones included",
                received=f"a vocabulary of {size}",
                fix="shorten the vocabulary, or raise max_tokens",
            )

    def _check_weights(self, idf_weights: Any, count: int) -> np.ndarray:
        weights = np.asarray(self._to_host(idf_weights), settings.floatx)
        if weights.shape != (count,):
            raise SpecError(
                self._label,
                expected=f"idf_weights of shape ({count},): one for each token of the vocabulary",
                received=f"shape {weights.shape}",
                fix="pass the weights in the order of the tokens",
            )
        return weights

    def _set_tokens(self, tokens: list[Any], weights: np.ndarray | None, is_padded: bool) -> None:
        size = self._token_start + len(tokens)
        used = self._spec_size if self._is_size_used else None
        is_free = self.output_mode == "int" or self.pad_to_max_tokens
        if used not in (None, size) and not is_free:
            raise SpecError(
                self._label,
                expected=f"a vocabulary of {used} tokens, as a model was made with",
                received=f"one of {size}",
                fix="set the vocabulary first, or use pad_to_max_tokens=True",
            )
        self._tokens, self._tables, self._spec_size = tokens, {}, size
        if weights is None:
            return
        if not is_padded:
            mean = weights.mean() if len(weights) else 0
            weights = np.pad(weights, (self._token_start, 0), constant_values=mean)
        depth = self._depth
        if depth is not None and depth > len(weights):
            weights = np.pad(weights, (0, depth - len(weights)))
        self._idf_weights = weights.astype(settings.floatx)

    def _to_tokens(self, vocabulary: Any) -> list[Any]:
        """Returns tokens as a list. Subclasses define it."""
        raise missing_method(self, "_to_tokens(vocabulary)")

    def _read_file(self, path: PathLike, encoding: str = "utf-8") -> list[Any]:
        return self._parse_tokens(read_vocabulary(path, encoding, self._label))

    def _parse_tokens(self, lines: list[str]) -> list[Any]:
        """Returns the tokens of the lines of a file."""
        return list(lines)

    @property
    def _depth(self) -> int | None:
        """The size of vectors; None where it is not known yet."""
        return self.max_tokens if self.pad_to_max_tokens else self._spec_size

    # ---------------------------------------------------------------- adapting

    def adapt(self, data: DataLike, steps: int | None = None) -> None:
        """Learns the vocabulary: the tokens of data, the most frequent first.

        Tokens that are as frequent are in descending order. If there are more than `max_tokens`,
        the rarest are left out.

        Args:
            data: An array, a list, a tensor, or what yields batches of them: a `tf.data.Dataset`, a
                `DataLoader`, a generator. For `"tf_idf"`, each row along the first axis is a
                document; a batch of one axis is one.
            steps: Maximum number of batches, for data that never ends.

        Raises:
            ValueError: The vocabulary was passed to the constructor.
        """
        self.reset_state()
        data = to_whole(data)
        for batch in iterate_batches(data, self._label, steps=steps):
            values = self._to_host(batch)
            if batch is data and isinstance(values, np.ndarray) and values.ndim == 1:
                values = values[:, None]  # each is a document
            self.update_state(values)
        self.finalize_state()

    def update_state(self, data: TensorLike) -> None:
        """Counts the tokens of a batch.

        Args:
            data: The batch. With one axis it is a single document, else each row is one.

        Raises:
            ValueError: The vocabulary was passed to the constructor.
        """
        self._check_adaptable()
        self._count(flatten(self._to_host(data), self._label))

    def _check_adaptable(self) -> None:
        if self._is_static:
            raise SpecError(
                f"{self._label}, adapt",
                expected="a layer without a vocabulary",
                received="one whose vocabulary was passed to the constructor",
                fix="create the layer without vocabulary=",
            )

    def _count(self, batch: HostBatch) -> None:
        tokens = self._to_countable(batch.values)
        if batch.row_lengths is not None:
            ends = np.cumsum(batch.row_lengths)
        else:
            count = batch.shape[0] if len(batch.shape or ()) > 1 and batch.shape else 1
            ends = np.arange(1, count + 1) * (len(tokens) // max(count, 1))
        self._count_documents(tokens, ends.tolist())

    def _count_documents(self, tokens: Sequence[Any], ends: list[int]) -> None:
        """Counts tokens.

        Args:
            tokens: The tokens of all documents.
            ends: The position after the last token of each document.
        """
        starts = [0, *ends[:-1]]
        documents = (tokens[start:end] for start, end in zip(starts, ends, strict=True))
        self._get_counts().add(tokens, documents, len(ends))

    def _get_counts(self) -> TokenCounts:
        if self._counts is None:
            self._counts = TokenCounts(self.output_mode == "tf_idf")
        return self._counts

    def _to_countable(self, values: Any) -> Sequence[Any]:
        """Returns the elements of a batch as tokens. Subclasses define it."""
        raise missing_method(self, "_to_countable(values)")

    def finalize_state(self) -> None:
        """Makes the vocabulary of what was counted, and forgets the counts."""
        counts = self._counts
        if self._is_static or counts is None:
            return
        limit = None if self.max_tokens is None else self.max_tokens - self._token_start
        if limit is not None and limit < 1:
            raise SpecError(
                f"{self._label}, adapt",
                expected="max_tokens above the number of special tokens",
                received=f"max_tokens={self.max_tokens}, {self._token_start} special tokens",
                fix="raise max_tokens",
            )
        tokens = counts.most_frequent(self._list_reserved(), limit)
        weights = None
        if self.output_mode == "tf_idf":
            weights = counts.inverse_document_frequencies(tokens).astype(settings.floatx)
        self._set_tokens(self._from_countable(tokens), weights, is_padded=False)
        self.reset_state()

    def _list_reserved(self) -> list[Any]:
        """Returns the special tokens, in the type of counted tokens."""
        return [self.mask_token, self.oov_token]

    def _from_countable(self, tokens: list[Any]) -> list[Any]:
        """Returns counted tokens in the type of the vocabulary."""
        return tokens

    def reset_state(self) -> None:
        """Forgets the counts. The vocabulary stays."""
        self._counts = None

    # ---------------------------------------------------------------- calls

    def _call_on_host(self, inputs: Any) -> Any:
        if self._tokens is None:
            raise self._no_vocabulary()
        batch = flatten(inputs, self._label)
        if self.invert:
            return batch.restore(self._to_inverse(batch.values))
        return self._encode(self._lookup(batch.values), batch)

    def _no_vocabulary(self) -> SpecError:
        return SpecError(
            self._label,
            expected="a vocabulary",
            received="a call before there is one",
            fix="call adapt(data) or set_vocabulary(tokens) first, or pass vocabulary=tokens",
        )

    def _encode(self, ids: np.ndarray, batch: HostBatch) -> Any:
        """Returns indices in the output mode of the layer."""
        return encode_on_host(
            ids,
            batch,
            self.output_mode,
            self._depth or 0,
            self._output_dtype,
            self.sparse,
            self._idf_weights,
        )

    def _lookup(self, values: Any) -> np.ndarray:
        """Returns the index of each element. Subclasses define it."""
        raise missing_method(self, "_lookup(values)")

    @property
    def _output_dtype(self) -> str:
        """The dtype of indices, or of vectors."""
        return "int64" if self.output_mode == "int" else settings.floatx

    @property
    def _mask_id(self) -> int:
        return 0 if self.output_mode == "int" else -1  # which no vector encodes

    def _key_ids(self) -> dict[Any, int]:
        """Returns the index of each token, also of the mask token."""
        ids = {token: i for i, token in enumerate(self._tokens or (), self._token_start)}
        if self.mask_token is not None:
            ids[self.mask_token] = self._mask_id
        return ids

    def _oov_ids(
        self, values: Callable[[], Iterable[Any]], choose: Callable[[], np.ndarray]
    ) -> np.ndarray | int:
        """Returns the indices of tokens that are not in the vocabulary.

        Args:
            values: Returns the tokens, for the error that they are if there is no index for them.
            choose: Returns a number from 0 to `num_oov_indices - 1` for each token.
        """
        if self.num_oov_indices == 0:
            raise SpecError(
                self._label,
                expected="tokens of the vocabulary, as num_oov_indices=0",
                received=", ".join(map(repr, list(dict.fromkeys(values()))[:10])),
                fix="set num_oov_indices=1, or extend the vocabulary",
            )
        return self._oov_start + (0 if self.num_oov_indices == 1 else choose())

    def _choose_by_hash(self, strings: ByteStrings) -> np.ndarray:
        """Returns a number below `num_oov_indices` for each byte string."""
        return hash_to_bins(strings, self.num_oov_indices, self.salt)

    def _to_inverse(self, values: Any) -> np.ndarray:
        """Returns the token of each index."""
        tokens = self._tables.get("inverse")
        if tokens is None:
            items = [*self.get_vocabulary(), self.oov_token]
            tokens = np.empty(len(items), object if self.vocabulary_dtype == "string" else np.int64)
            tokens[:] = items
            self._tables["inverse"] = tokens
        ids = np.asarray(values)
        if ids.dtype.kind not in "biuf":
            raise SpecError(
                self._label,
                expected="indices, as invert=True",
                received=f"an array of dtype {ids.dtype}",
                fix="pass integers, or set invert=False",
            )
        ids = ids.astype(np.int64)
        unknown = len(tokens) - 1
        return tokens[np.where((ids < 0) | (ids > unknown), unknown, ids)]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Returns the shape of the output: with a last axis of the vocabulary's size for vectors.

        Args:
            input_shape: The shape of the input.
        """
        self._is_size_used = True
        return encoded_shape(tuple(input_shape), self.output_mode, self._depth)

    def compute_output_spec(self, inputs: KerasTensor) -> KerasTensor:
        """Returns the shape and the dtype of the output.

        Args:
            inputs: A symbolic tensor.
        """
        self._check_spec(inputs)
        shape = self.compute_output_shape(inputs.shape)
        dtype = self.vocabulary_dtype if self.invert else self._output_dtype
        return KerasTensor(shape, dtype, sparse=self.sparse, record_history=False)

    def _check_spec(self, inputs: KerasTensor) -> None:
        """Raises an error if the layer does not take the dtype of an input."""

    # ---------------------------------------------------------------- config and files

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor; a learned vocabulary is not among them."""
        return {
            **base_config(self),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary_dtype": self.vocabulary_dtype,
            "idf_weights": self.input_idf_weights,
            "vocabulary": self.input_vocabulary,
            "vocabulary_size": self._spec_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates a layer from a config.

        Args:
            config: The arguments of the constructor.

        Raises:
            ValueError: The vocabulary is a path: only the caller of a constructor names files.
        """
        check_no_path(cls.__name__, config)
        return super().from_config(config)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Stores the inverse document frequencies.

        Args:
            store: Receives arrays by name.
        """
        if self._idf_weights is not None:
            store["idf_weights"] = self._idf_weights

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Sets the inverse document frequencies.

        Args:
            store: Arrays by name.
        """
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._idf_weights = np.asarray(store["idf_weights"], settings.floatx)

    def save_assets(self, dir_path: PathLike) -> None:
        """Writes a vocabulary that is not in the config, as a text file of one token a line.

        Args:
            dir_path: The folder.
        """
        if self.input_vocabulary is None:
            save_vocabulary(os.fspath(dir_path), self.get_vocabulary())

    def load_assets(self, dir_path: PathLike) -> None:
        """Reads the vocabulary that `save_assets`, or Keras, has written.

        Args:
            dir_path: The folder.
        """
        if self.input_vocabulary is not None:
            return
        lines = load_vocabulary(os.fspath(dir_path), self._label)
        lines, has_special = strip_special(lines, list(map(str, self._special)))
        tokens = self._parse_tokens(lines)
        if not tokens:
            return  # saved before it had a vocabulary
        self._check_tokens(tokens)
        weights = self._idf_weights
        if weights is not None:
            size = self._token_start * has_special + len(tokens)
            weights = self._check_weights(weights[:size], size)
        self._set_tokens(tokens, weights, has_special)
