"""Batches of strings or numbers on the host, flat; and their encodings in NumPy."""

from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core.host_rows import RaggedRows, SparseEntries
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers.preprocessing._encoding import encoded_shape
from keras_fn.types import Shape

_SEQUENCES = (list, tuple, np.ndarray)


class HostBatch(NamedTuple):
    """The elements of a batch.

    Attributes:
        values: An array of one axis, or, of lists of unequal lengths, a list.
        shape: The shape of the batch; None if the lengths of its rows are unequal.
        row_lengths: The number of elements of each row, if they are unequal.
    """

    values: Any
    shape: tuple[int, ...] | None
    row_lengths: np.ndarray | None = None

    def split_rows(self) -> tuple[int, np.ndarray]:
        """Returns the number of rows along the last axis, and the row of each element."""
        if self.row_lengths is not None:
            count = len(self.row_lengths)
            return count, np.repeat(np.arange(count), self.row_lengths)
        *leading, length = self.shape or (1,)
        count = int(np.prod(leading))
        return count, np.repeat(np.arange(count), length)

    def restore(self, results: np.ndarray) -> np.ndarray | RaggedRows:
        """Returns results in the shape of the batch, or in rows of its lengths.

        Args:
            results: A result for each element.
        """
        if self.row_lengths is not None:
            return RaggedRows(results, self.row_lengths)
        return results.reshape(self.shape or ())


def flatten(inputs: Any, source: str) -> HostBatch:
    """Returns the elements of an array, or of lists of unequal lengths.

    Args:
        inputs: A NumPy array, or lists of lists of one axis.
        source: The layer, for errors.

    Raises:
        SpecError: More than one axis has unequal lengths.
    """
    if isinstance(inputs, np.ndarray):
        return HostBatch(inputs.ravel(), inputs.shape)
    if not isinstance(inputs, (list, tuple)):
        raise DTypeError(
            source,
            expected="an array, a tensor, or nested lists",
            received=f"{inputs!r:.100} of type {type(inputs).__name__}",
            fix="pass the values in a NumPy array or a list",
        )
    rows = [row.tolist() if isinstance(row, np.ndarray) else row for row in inputs]
    if not all(isinstance(row, _SEQUENCES) for row in rows) or any(
        isinstance(value, _SEQUENCES) for row in rows for value in row
    ):
        raise SpecError(
            source,
            expected="an array, or a list of rows whose lengths may differ",
            received=f"lists nested in another way: {str(inputs)[:100]}",
            fix="pad all axes but the second one to equal lengths",
        )
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return HostBatch(list(chain.from_iterable(rows)), None, lengths)


def to_text(values: Any, encoding: str, source: str) -> list[str]:
    """Returns the elements of a batch as strings.

    Args:
        values: An array of text, or a list of str and bytes.
        encoding: The encoding of bytes. Of UTF-8, bytes that are not valid become surrogates.
        source: The layer, for errors.

    Raises:
        DTypeError: There is something else than text among them.
    """
    items = values.tolist() if isinstance(values, np.ndarray) else list(values)
    types = set(map(type, items))
    if types <= {str}:
        return items
    for cls in types:
        if not issubclass(cls, (str, bytes)):
            value = next(item for item in items if type(item) is cls)
            raise not_text(value, source)
    return [decode(item, encoding) if isinstance(item, bytes) else item for item in items]


def decode(text: bytes, encoding: str) -> str:
    """Returns bytes as a string; those that are not valid UTF-8 become surrogates.

    Args:
        text: The bytes.
        encoding: Their encoding.
    """
    return text.decode(encoding, "surrogateescape" if is_utf8(encoding) else "strict")


def is_utf8(encoding: str) -> bool:
    """Returns whether an encoding is UTF-8, by any of its names.

    Args:
        encoding: The name.
    """
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8")


def not_text(value: object, source: str) -> DTypeError:
    """Returns the error for something else than text.

    Args:
        value: The element.
        source: The layer.
    """
    return DTypeError(
        source,
        expected="strings",
        received=f"{value!r:.100} of type {type(value).__name__}",
        fix="convert numbers with astype(str), and replace missing values, for example by ''",
    )


# ---------------------------------------------------------------- encodings


def encode_on_host(
    ids: np.ndarray,
    batch: HostBatch,
    output_mode: str,
    depth: int,
    dtype: str,
    sparse: bool = False,
    idf_weights: np.ndarray | None = None,
) -> np.ndarray | RaggedRows | SparseEntries:
    """Encodes ids of categories, as `encode_categorical` does, in NumPy.

    Args:
        ids: An id for each element of the batch; negative ones are not encoded.
        batch: The batch, for its shape.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
        depth: The number of categories.
        dtype: The dtype of the result.
        sparse: Whether only the entries of vectors are returned.
        idf_weights: The inverse document frequencies, of shape `(depth,)`.
    """
    if output_mode == "int":
        return batch.restore(ids.astype(dtype, copy=False))
    if output_mode == "one_hot":
        count, rows = len(ids), np.arange(len(ids))
    else:
        count, rows = batch.split_rows()
    is_encoded = ids >= 0
    if not is_encoded.all():
        ids, rows = ids[is_encoded], rows[is_encoded]
    shape = None if batch.shape is None else encoded_shape(batch.shape, output_mode, depth)
    if batch.shape is None and output_mode != "one_hot":
        shape = (count, depth)
    if sparse and shape is not None:
        return _sparse_vectors(ids, rows, shape, output_mode, dtype, idf_weights)
    vectors = np.zeros((count, depth), dtype)
    if output_mode in ("one_hot", "multi_hot"):
        vectors[rows, ids] = 1
    else:
        np.add.at(vectors.reshape(-1), rows * depth + ids, vectors.dtype.type(1))
        if idf_weights is not None:
            vectors *= idf_weights
    return batch.restore(vectors) if shape is None else vectors.reshape(_sizes(shape))


def _sizes(shape: Shape) -> tuple[int, ...]:
    return tuple(int(size or 0) for size in shape)


def _sparse_vectors(
    ids: np.ndarray,
    rows: np.ndarray,
    shape: Shape,
    output_mode: str,
    dtype: str,
    idf_weights: np.ndarray | None,
) -> SparseEntries:
    *leading, depth = _sizes(shape)
    codes, counts = np.unique(rows * depth + ids, return_counts=True)
    values = (np.ones(len(codes)) if output_mode in ("one_hot", "multi_hot") else counts).astype(
        dtype
    )
    if idf_weights is not None:
        values *= idf_weights[codes % depth].astype(dtype)
    axes = [*np.unravel_index(codes // depth, leading), codes % depth] if leading else [codes]
    return SparseEntries(np.stack(axes, axis=-1), values, (*leading, depth))
