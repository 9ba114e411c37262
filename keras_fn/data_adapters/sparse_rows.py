"""Sparse matrices of SciPy as data: a batch of rows becomes a tensor, the matrix never does."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current, supports
from keras_fn.core.sparse import sparse_from_scipy


class SparseRows:
    """The rows of a sparse matrix, with the part of NumPy's interface that data adapters use.

    Args:
        matrix: A sparse matrix or array of SciPy, in any format; each of its rows is a sample.
        is_dense: Whether batches are dense tensors, for a model or a loss that takes those.
    """

    def __init__(self, matrix: Any, is_dense: bool = False):
        self.matrix = matrix.tocsr()  # the format whose rows are cheap to take
        self.is_dense = is_dense or not supports("is_sparse")

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of samples, and of columns."""
        return tuple(self.matrix.shape)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the values."""
        return self.matrix.dtype

    @property
    def sparse(self) -> bool:
        """Whether batches are sparse tensors."""
        return not self.is_dense

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, samples: slice | np.ndarray) -> "SparseRows":
        return SparseRows(self.matrix[samples], self.is_dense)

    def astype(self, dtype: Any) -> "SparseRows":
        """Returns the rows with values of another dtype.

        Args:
            dtype: A dtype of NumPy.
        """
        return SparseRows(self.matrix.astype(dtype), self.is_dense)

    def to_dense_batches(self) -> "SparseRows":
        """Returns the same rows, whose batches are dense."""
        return SparseRows(self.matrix, is_dense=True)

    def to_tensor(self) -> Any:
        """Returns all rows as one tensor: called on those of a batch."""
        if self.is_dense:
            return current().prepare_host_batch(self.matrix.toarray())
        return sparse_from_scipy(self.matrix)


def take_samples(array: Any, samples: np.ndarray) -> Any:
    """Returns the samples of a batch, ready for a step.

    Args:
        array: An array, a tensor or `SparseRows`.
        samples: The indices of the samples.
    """
    if current().is_tensor(array):
        return current().gather_rows(array, current().convert_to_tensor(samples))
    return to_batch(array[samples])


def to_batch(array: Any) -> Any:
    """Returns the data of a batch in the form that a step takes fastest.

    Args:
        array: An array, a tensor or `SparseRows`.
    """
    if isinstance(array, SparseRows):
        return array.to_tensor()
    return current().prepare_host_batch(array) if isinstance(array, np.ndarray) else array
