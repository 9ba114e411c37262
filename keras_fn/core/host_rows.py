"""Results of layers that compute on the host, where they are not one array."""

from typing import NamedTuple

import numpy as np


class RaggedRows(NamedTuple):
    """Rows of unequal lengths.

    Attributes:
        values: The elements of all rows, one row after the other.
        row_lengths: The number of elements of each row, of dtype int64.
    """

    values: np.ndarray
    row_lengths: np.ndarray

    def split(self) -> list[np.ndarray]:
        """Returns the rows.

        Example:
            >>> rows = RaggedRows(np.array([1, 2, 3]), np.array([1, 0, 2]))
            >>> [row.tolist() for row in rows.split()]
            [[1], [], [2, 3]]
        """
        if not len(self.row_lengths):
            return []
        return np.split(self.values, np.cumsum(self.row_lengths)[:-1])

    def pad(self, length: int | None = None) -> np.ndarray:
        """Returns the rows as an array of shape `(rows, length)`, with zeros after shorter ones.

        Args:
            length: The length, to which longer rows are cut; that of the longest by default.

        Example:
            >>> RaggedRows(np.array([1, 2, 3]), np.array([1, 0, 2])).pad().tolist()
            [[1, 0], [0, 0], [2, 3]]
        """
        values, lengths = self if length is None else self.cut(length)
        size = int(lengths.max(initial=0)) if length is None else length
        result = np.zeros((len(lengths), size, *values.shape[1:]), values.dtype)
        result[np.arange(size) < lengths[:, None]] = values
        return result

    def cut(self, length: int | None) -> "RaggedRows":
        """Returns the rows without what is after their first elements.

        Args:
            length: The maximum number of elements of a row, or None for all.

        Example:
            >>> RaggedRows(np.array([1, 2, 3]), np.array([1, 0, 2])).cut(1).values.tolist()
            [1, 2]
        """
        values, lengths = self
        if length is None or int(lengths.max(initial=0)) <= length:
            return self
        starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        is_kept = np.arange(len(values)) - starts < length
        return RaggedRows(values[is_kept], np.minimum(lengths, length))


class SparseEntries(NamedTuple):
    """The entries of a sparse tensor, in the order of their indices; no index occurs twice.

    Attributes:
        indices: Integers of shape `(entries, axes)`.
        values: Numbers of shape `(entries,)`.
        shape: The sizes of the axes.
    """

    indices: np.ndarray
    values: np.ndarray
    shape: tuple[int, ...]
