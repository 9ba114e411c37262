"""Sparse data on the host: a batch of rows becomes a tensor, all rows together never do."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current, supports
from keras_fn.core.sparse import get_entries, get_sparse_backend
from keras_fn.data_adapters.host_rows import HostRows


class SparseRows(HostRows):
    """The samples of a sparse matrix or tensor, with what data adapters use of NumPy's interface.

    Args:
        starts: The position of each sample's first entry, and at the end the number of entries.
        indices: The indices of the entries along the other axes, of shape `(entries, axes - 1)`.
        values: The values of the entries.
        shape: The number of samples, and the sizes of the other axes.
        is_dense: Whether batches are dense tensors, for a model or a loss that takes those.
    """

    def __init__(
        self,
        starts: np.ndarray,
        indices: np.ndarray,
        values: np.ndarray,
        shape: tuple[int, ...],
        is_dense: bool = False,
    ):
        self.starts, self.indices, self.entries, self.shape = starts, indices, values, shape
        self.dtype = values.dtype
        self.is_dense = is_dense or not supports("is_sparse")
        self.sparse = not self.is_dense

    @staticmethod
    def of(x: Any) -> "SparseRows":
        """Returns the rows of a matrix of SciPy, in any format, or of a sparse tensor.

        Args:
            x: The matrix or tensor.
        """
        indices, values, shape = get_entries(x)
        order = np.argsort(indices[:, 0], kind="stable")
        counts = np.bincount(indices[:, 0], minlength=shape[0])
        starts = np.concatenate([[0], np.cumsum(counts)])
        return SparseRows(starts, indices[order, 1:], values[order], shape)

    @property
    def values(self) -> np.ndarray:
        """The values of the entries."""
        return self.entries

    def __getitem__(self, samples: slice | np.ndarray) -> "SparseRows":
        if isinstance(samples, slice):
            samples = np.arange(*samples.indices(len(self)))
        first = self.starts[samples]
        counts = self.starts[samples + 1] - first
        starts = np.concatenate([[0], np.cumsum(counts)])
        # The entries of a sample follow one another, here and there.
        taken = np.arange(starts[-1]) + np.repeat(first - starts[:-1], counts)
        shape = (len(samples), *self.shape[1:])
        return SparseRows(starts, self.indices[taken], self.values[taken], shape, self.is_dense)

    def astype(self, dtype: Any) -> "SparseRows":
        """Returns the rows with values of another dtype.

        Args:
            dtype: A dtype of NumPy.
        """
        values = self.values.astype(dtype)
        return SparseRows(self.starts, self.indices, values, self.shape, self.is_dense)

    def to_dense_batches(self) -> "SparseRows":
        """Returns the same rows, whose batches are dense."""
        return SparseRows(self.starts, self.indices, self.values, self.shape, is_dense=True)

    def to_array(self) -> np.ndarray:
        """Returns all rows as a dense array."""
        array = np.zeros(self.shape, self.dtype)
        array[tuple(self._all_indices().T)] = self.values
        return array

    def to_tensor(self) -> Any:
        """Returns all rows as one tensor: called on those of a batch."""
        if self.is_dense:
            return current().prepare_host_batch(self.to_array())
        return get_sparse_backend().sparse_from_numpy(self._all_indices(), self.values, self.shape)

    def _all_indices(self) -> np.ndarray:
        rows = np.repeat(np.arange(len(self)), np.diff(self.starts))
        return np.concatenate([rows[:, None], self.indices], axis=1)
