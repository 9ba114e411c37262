"""The vectorization of text: standardized, split, and looked up in a vocabulary."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Self, Unpack

import numpy as np
from numpy.dtypes import StringDType

from keras_fn.backend.loader import current, supports
from keras_fn.core.byte_strings import pack_bytes
from keras_fn.core.host_rows import RaggedRows
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error, check_flag, is_int_at_least
from keras_fn.layers._config import base_config
from keras_fn.layers.preprocessing._adapt import iterate_batches
from keras_fn.layers.preprocessing._encoding import OUTPUT_MODES
from keras_fn.layers.preprocessing._host_batch import HostBatch, flatten, to_text
from keras_fn.layers.preprocessing._string_layer import (
    LookupOptions,
    StringHostLayer,
    check_output_mode,
    to_whole,
)
from keras_fn.layers.preprocessing._text_splitting import (
    TokenRows,
    encode_text,
    make_ngrams,
    split_lines,
)
from keras_fn.layers.preprocessing._token_table import count_tokens
from keras_fn.layers.preprocessing._vocabulary import check_no_path
from keras_fn.layers.preprocessing.string_lookup import StringLookup
from keras_fn.settings import settings
from keras_fn.types import DataLike, PathLike, Shape, TensorLike

_STANDARDIZATIONS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLITS = ("whitespace", "character")
_MAX_CHARACTERS = 1 << 26  # of an array whose strings have room for the longest one: 256 MiB

# A function of the user: of an array of strings, or of a tensor where the framework has some.
TextFunction = Callable[[Any], Any]


class TextVectorization(StringHostLayer):
    """Text vectorization: maps texts to sequences of token indices, or to vectors of tokens.

    Each text is standardized, split into tokens, and its tokens or their n-grams are looked up in a
    vocabulary, as in `StringLookup` with the mask token `""`. The vocabulary is passed, or learned
    with `adapt`. The layer computes on the host, with the same result on every backend: outside of
    a model, in a data pipeline, or as a first layer of a model, before the compiled step.

    Args:
        max_tokens: Maximum size of the vocabulary, with special tokens. None for no limit.
        standardize: `"lower"` makes the letters A to Z small; `"strip_punctuation"` removes the
            punctuation of ASCII; `"lower_and_strip_punctuation"` does both; None does nothing.
            A function receives the strings of a batch and returns as many: NumPy arrays of `str`,
            or with the TensorFlow backend tensors, as `tf.strings` takes them.
        split: `"whitespace"` splits at the whitespace of ASCII; `"character"` into characters; None
            takes each string as a token. A function receives a batch of strings as above, of shape
            `(batch,)`, and returns a list, an array or a ragged tensor of tokens for each.
        ngrams: An integer n: the tokens, and then the n-grams of up to n tokens, joined by spaces.
            A tuple: n-grams of these lengths alone. None for the tokens.
        output_mode: `"int"`: the index of each token: 0 after the last one, 1 for tokens that are
            out of the vocabulary. `"multi_hot"`: 1 for each token that is in the text; `"count"`:
            how often it is in it; `"tf_idf"`: that number times its inverse document frequency;
            `"one_hot"`: a vector for each token.
        output_sequence_length: With `"int"`, the length to which sequences are padded or cut. By
            default that of the longest in the batch.
        pad_to_max_tokens: Whether vectors have the size `max_tokens`.
        vocabulary: The tokens in the order of their indices: a list, an array or a tensor; or the
            path of a text file with one token in each line. None if the layer will be adapted.
        idf_weights: The inverse document frequency of each token, for `output_mode="tf_idf"`.
        sparse: Whether vectors are sparse tensors.
        ragged: With `"int"`, whether sequences are not padded: a ragged tensor, or a list of
            tensors where the framework has none.
        encoding: Encoding of texts that are passed as bytes, and of a vocabulary file.
        name: The name of the layer.

    Input shape:
        Strings of shape `(batch,)`, `(batch, 1)` or `()`; with `split=None` of any shape.

    Output shape:
        `(batch, length)` for `"int"`, `(batch, length, vocabulary_size)` for `"one_hot"`, else
        `(batch, vocabulary_size)`.

    Raises:
        ValueError: An argument is invalid, or two of them exclude each other.

    Example:
        >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["The cat sat.", "The dog!"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
        >>> keras.ops.convert_to_numpy(layer(["the cat", "The bird sat"])).tolist()
        [[2, 5, 0, 0], [2, 1, 3, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | TextFunction | None = "lower_and_strip_punctuation",
        split: str | TextFunction | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: TensorLike | PathLike | None = None,
        idf_weights: TensorLike | None = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Unpack[LookupOptions],
    ):
        options: dict[str, Any] = {**kwargs}
        lookup_options = {
            key: options.pop(key)
            for key in ("vocabulary_size", "has_input_vocabulary")
            if key in options
        }
        super().__init__(name=name, **options)
        self.standardize = self._check_function("standardize", standardize, _STANDARDIZATIONS)
        self.split = self._check_function("split", split, _SPLITS)
        self.ngrams = self._check_ngrams(ngrams)
        self.output_mode = check_output_mode(self, output_mode, OUTPUT_MODES)
        self.ragged = check_flag(self, "ragged", ragged)
        self._check_length(output_sequence_length)
        self.output_sequence_length = output_sequence_length
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=self.output_mode,
            sparse=sparse,
            encoding=encoding,
            **lookup_options,
        )

    def _check_function(self, argument: str, value: Any, choices: tuple[str, ...]) -> Any:
        if value is None or callable(value) or (isinstance(value, str) and value in choices):
            return value
        expected = f"{', '.join(map(repr, choices))}, a function or None"
        raise argument_error(self, argument, expected, value, f"for example {choices[0]!r}")

    def _check_ngrams(self, ngrams: Any) -> Any:
        if ngrams is None or is_int_at_least(ngrams):
            return ngrams
        if isinstance(ngrams, (tuple, list)) and ngrams and all(map(is_int_at_least, ngrams)):
            return tuple(ngrams)
        expected = "a positive integer, a tuple of them, or None"
        raise argument_error(self, "ngrams", expected, ngrams, "for example ngrams=2")

    def _check_length(self, length: Any) -> None:
        if self.output_mode != "int" and (length is not None or self.ragged):
            argument = "ragged" if length is None else "output_sequence_length"
            value = self.ragged if length is None else length
            expected = f"its default, as output_mode={self.output_mode!r}"
            raise argument_error(self, argument, expected, value, f"remove {argument}")
        if length is not None and not is_int_at_least(length):
            expected = "a positive integer or None"
            raise argument_error(self, "output_sequence_length", expected, length, "for example 40")

    def build(self, input_shape: Shape | None = None) -> None:
        """Does nothing: the layer has no weights.

        Args:
            input_shape: The shape of the input.
        """

    # ---------------------------------------------------------------- the vocabulary

    @property
    def max_tokens(self) -> int | None:
        """Maximum size of the vocabulary; None for no limit."""
        return self._lookup_layer.max_tokens

    @property
    def pad_to_max_tokens(self) -> bool:
        """Whether vectors have the size `max_tokens`."""
        return self._lookup_layer.pad_to_max_tokens

    @property
    def sparse(self) -> bool:
        """Whether vectors are sparse tensors."""
        return self._lookup_layer.sparse

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Returns the tokens of the vocabulary, in the order of their indices.

        Args:
            include_special_tokens: Whether to begin with `""` and the OOV token, so that the
                position of each token is its index.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Returns the number of indices: of the tokens, and of special ones."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(
        self, vocabulary: TensorLike | PathLike, idf_weights: TensorLike | None = None
    ) -> None:
        """Sets the vocabulary, instead of learning it with `adapt`.

        Args:
            vocabulary: The tokens in the order of their indices, with or without the special ones
                at the beginning: a list, an array, a tensor, or the path of a text file.
            idf_weights: The inverse document frequency of each of these tokens, for
                `output_mode="tf_idf"`.

        Raises:
            ValueError: As in `StringLookup.set_vocabulary`.
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    def adapt(
        self, data: DataLike, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Learns the vocabulary: the tokens of texts, the most frequent first.

        Tokens that are as frequent are in descending order. If there are more than `max_tokens`,
        the rarest are left out.

        Args:
            data: Texts: an array, a list, a tensor, or what yields batches of them: a
                `tf.data.Dataset`, a `DataLoader`, a generator.
            batch_size: Number of texts that are split together: all of them by default.
            steps: Maximum number of batches, for data that never ends.

        Raises:
            ValueError: The vocabulary was passed to the constructor.
        """
        self.reset_state()
        for batch in iterate_batches(to_whole(data), self._label, batch_size, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: TensorLike) -> None:
        """Counts the tokens of a batch.

        Args:
            data: The texts.

        Raises:
            ValueError: The vocabulary was passed to the constructor.
        """
        self._check_adaptable()
        rows, shape = self._tokenize(self._to_host(data))
        if self.output_mode != "tf_idf":
            self._lookup_layer._get_counts().add_counts(count_tokens(rows.tokens))
            return
        ends, inner = np.cumsum(rows.row_lengths), int(np.prod(shape[1:], dtype=int))
        self._lookup_layer._count_documents(
            rows.tokens.tolist(), ends[inner - 1 :: inner].tolist() if inner else []
        )

    def _check_adaptable(self) -> None:
        self._lookup_layer._check_adaptable()

    def finalize_state(self) -> None:
        """Makes the vocabulary of what was counted, and forgets the counts."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forgets the counts. The vocabulary stays."""
        self._lookup_layer.reset_state()

    # ---------------------------------------------------------------- calls

    def _call_on_host(self, inputs: Any) -> Any:
        lookup = self._lookup_layer
        if lookup._tokens is None:
            raise lookup._no_vocabulary().with_source(self._label)
        rows, shape = self._tokenize(inputs)
        ids = RaggedRows(lookup._lookup_bytes(rows.tokens), rows.row_lengths)
        if self.output_mode == "int":
            length = self.output_sequence_length
            if self.ragged:
                ids, length = ids.cut(length), None
            if self._is_ragged and len(shape) == 1:
                return ids
            padded = ids.pad(length)
            return padded.reshape(
                shape if self._is_flat(np.shape(inputs)) else (*shape, padded.shape[-1])
            )
        if self.output_mode == "one_hot":
            padded = RaggedRows(ids.values + 1, ids.row_lengths).pad() - 1  # padding is in none
            sizes = (*shape, padded.shape[-1])  # an axis of size 1 stays where it is of time
            batch = HostBatch(None, sizes if self.split is None else (*sizes, 1))
            return lookup._encode(padded.ravel(), batch)
        result = lookup._encode(ids.values, HostBatch(None, None, ids.row_lengths))
        if isinstance(result, np.ndarray) and len(shape) != 1:
            return result.reshape(*shape, result.shape[-1])
        return result

    @property
    def _is_ragged(self) -> bool:
        """Whether sequences stay of unequal lengths. Without a split their lengths are equal."""
        return self.ragged and self.split is not None

    def _is_flat(self, shape: Shape) -> bool:
        """Returns whether the output has an index for each string, and no axis of time."""
        is_single = self.split is None and self.ngrams is None and len(shape) < 2
        return is_single and self.output_sequence_length is None and self.output_mode == "int"

    def _tokenize(self, inputs: Any) -> tuple[TokenRows, tuple[int, ...]]:
        """Returns the tokens of each row, and the shape of the rows."""
        batch = flatten(inputs, self._label)
        if batch.shape is None:
            raise self._shape_error(f"rows of unequal lengths: {str(inputs)[:80]}")
        rows_shape: tuple[int, ...] = batch.shape
        if self.split is not None and len(rows_shape) > 1:
            if rows_shape[-1] != 1:
                raise self._shape_error(f"shape {rows_shape}")
            rows_shape = rows_shape[:-1]
        lines, standardize = to_text(batch.values, self.encoding, self._label), self.standardize
        if callable(standardize):
            lines = self._apply_standardize(standardize, lines, batch.shape)
            standardize = None
        if callable(self.split):
            if standardize is not None:
                lines = to_text(
                    split_lines(lines, standardize, None).tokens.tolist(), "utf-8", self._label
                )
            rows = self._apply_split(self.split, lines, rows_shape)
        else:
            rows = split_lines(lines, standardize, self.split)
        if self.split is None:  # the tokens of a row are along the last axis
            rows_shape = rows_shape if len(rows_shape) > 1 else (*rows_shape, 1)
            *leading, length = rows_shape
            rows_shape = tuple(leading)
            rows = TokenRows(rows.tokens, np.full(int(np.prod(leading, dtype=int)), length))
        return make_ngrams(rows, self._widths) if self._widths else rows, rows_shape

    @property
    def _widths(self) -> tuple[int, ...]:
        """The lengths of n-grams; empty for tokens alone."""
        ngrams = self.ngrams
        return tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else tuple(ngrams or ())

    def _shape_error(self, received: str) -> SpecError:
        return SpecError(
            self._label,
            expected="texts of shape (batch,), (batch, 1) or ()",
            received=received,
            fix="join the texts of a row, or vectorize column by column",
        )

    def _apply_standardize(
        self, function: TextFunction, lines: list[str], shape: tuple[int, ...]
    ) -> list[str]:
        result = self._to_host(function(_to_argument(lines, shape)))
        text = to_text(np.ravel(result), "utf-8", f"{self._label}, standardize")
        if len(text) != len(lines):
            raise SpecError(
                f"{self._label}, standardize",
                expected=f"{len(lines)} strings, as many as it received",
                received=f"{len(text)}",
                fix="return an array of the shape of the argument",
            )
        return text

    def _apply_split(
        self, function: TextFunction, lines: list[str], shape: tuple[int, ...]
    ) -> TokenRows:
        result = function(_to_argument(lines, shape))
        values = self._to_host(result)
        if isinstance(values, np.ndarray) and values.ndim == 1 and _holds_rows(values):
            values = [list(row) for row in values]  # as np.char.split returns them
        batch = flatten(values, f"{self._label}, split")
        tokens = encode_text(to_text(batch.values, "utf-8", f"{self._label}, split"))
        lengths = batch.row_lengths
        if lengths is None:
            *leading, length = batch.shape or (1,)
            lengths = np.full(int(np.prod(leading, dtype=int)), length)
        if len(lengths) != len(lines):
            raise SpecError(
                f"{self._label}, split",
                expected=f"tokens for each of {len(lines)} strings",
                received=f"{len(lengths)} rows",
                fix="return a list, an array or a ragged tensor with a row for each string",
            )
        return TokenRows(pack_bytes(tokens), lengths)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Returns the shape of the output; None for the length of the longest sequence.

        Args:
            input_shape: The shape of the input.
        """
        shape = tuple(input_shape)
        if self._is_flat(shape):
            return shape
        length: int | None = None
        if self.split is None:
            *leading, length = shape if len(shape) > 1 else (*shape, 1)
            shape = tuple(leading)
            if self._widths:
                length = _count_ngrams(length, self._widths)
        elif len(shape) > 1:
            if shape[-1] not in (1, None):
                raise self._shape_error(f"shape {shape}")
            shape = shape[:-1]
        if self.output_mode == "int":
            return (*shape, self._sequence_length(length))
        if self.split is None:
            return self._lookup_layer.compute_output_shape((*shape, length))
        sizes = (*shape, length, 1) if self.output_mode == "one_hot" else (*shape, length)
        return self._lookup_layer.compute_output_shape(sizes)

    def _sequence_length(self, length: int | None) -> int | None:
        """Returns the length of sequences: padded, or with `ragged` cut."""
        maximum = self.output_sequence_length
        if maximum is None or not self.ragged:
            return length if maximum is None else maximum
        return None if length is None else min(length, maximum)

    def compute_output_spec(self, inputs: KerasTensor) -> KerasTensor:
        """Returns the shape and the dtype of the output.

        Args:
            inputs: A symbolic tensor of strings.
        """
        self._lookup_layer._check_spec(inputs)
        if self._is_ragged and not supports("ragged_from_rows"):
            raise SpecError(
                self._label,
                expected=f"ragged=False in models and graphs, as {current().name} has no ragged "
                "tensors",
                received="ragged=True",
                fix="remove ragged=True: sequences are padded with 0",
            )
        shape = self.compute_output_shape(inputs.shape)
        dtype = "int64" if self.output_mode == "int" else settings.floatx
        return KerasTensor(
            shape, dtype, sparse=self.sparse, ragged=self._is_ragged, record_history=False
        )

    # ---------------------------------------------------------------- config and files

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor; a learned vocabulary is not among them."""
        lookup = self._lookup_layer
        return {
            **base_config(self),
            "max_tokens": lookup.max_tokens,
            "standardize": _serialize(self.standardize),
            "split": _serialize(self.split),
            "ngrams": self.ngrams,
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": lookup.pad_to_max_tokens,
            "sparse": lookup.sparse,
            "ragged": self.ragged,
            "vocabulary": lookup.input_vocabulary,
            "idf_weights": lookup.input_idf_weights,
            "encoding": self.encoding,
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates a layer from a config.

        Args:
            config: The arguments of the constructor. Functions are looked up among those that the
                program has registered.

        Raises:
            ValueError: The vocabulary is a path: only the caller of a constructor names files.
        """
        check_no_path(cls.__name__, config)
        functions = {key: config[key] for key in ("standardize", "split") if key in config}
        functions = {
            key: deserialize_keras_object(value) if isinstance(value, dict) else value
            for key, value in functions.items()
        }
        return super().from_config({**config, **functions})

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Stores the inverse document frequencies.

        Args:
            store: Receives arrays by name.
        """
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Sets the inverse document frequencies.

        Args:
            store: Arrays by name.
        """
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: PathLike) -> None:
        """Writes a vocabulary that is not in the config, as a text file of one token a line.

        Args:
            dir_path: The folder.
        """
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: PathLike) -> None:
        """Reads the vocabulary that `save_assets`, or Keras, has written.

        Args:
            dir_path: The folder.
        """
        self._lookup_layer.load_assets(dir_path)


def _serialize(function: Any) -> Any:
    return serialize_keras_object(function) if callable(function) else function


def _holds_rows(values: np.ndarray) -> bool:
    return any(isinstance(row, (list, tuple, np.ndarray)) for row in values)


def _count_ngrams(length: int | None, widths: Sequence[int]) -> int | None:
    """Returns the number of n-grams of a row of some tokens."""
    return None if length is None else sum(max(length - width + 1, 0) for width in widths)


def _to_argument(lines: list[str], shape: tuple[int, ...]) -> Any:
    """Returns strings as a function of the user takes them: an array, or a tensor of strings."""
    array = np.empty(len(lines), object)
    array[:] = lines
    array = array.reshape(shape)
    if supports("text_tensors"):
        return current().convert_to_tensor(array)
    longest = max(map(len, lines), default=0)
    return array.astype(str if longest * len(lines) < _MAX_CHARACTERS else StringDType())
