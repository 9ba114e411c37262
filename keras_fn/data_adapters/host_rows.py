"""Data that stays on the host, and of which only batches become tensors."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from keras_fn.backend.loader import current


class HostRows(ABC):
    """Samples with the part of NumPy's interface that data adapters use.

    Attributes:
        shape: The number of samples and the sizes of the other axes, None for unequal ones.
        dtype: The dtype of the values.
        sparse: Whether batches are sparse tensors.
    """

    shape: tuple[Any, ...]
    dtype: np.dtype
    sparse: bool

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, samples: slice | np.ndarray) -> "HostRows":
        """Returns some of the samples: a slice of them, or those of an array of indices."""

    @abstractmethod
    def astype(self, dtype: Any) -> Any:
        """Returns the samples with values of another dtype."""

    @property
    @abstractmethod
    def values(self) -> np.ndarray:
        """The values that the data consists of, as a vector."""

    @abstractmethod
    def to_array(self) -> np.ndarray:
        """Returns all samples as one array."""

    @abstractmethod
    def to_tensor(self) -> Any:
        """Returns all samples in the form that a step takes: called on those of a batch."""


def take_samples(array: Any, samples: np.ndarray) -> Any:
    """Returns the samples of a batch, ready for a step.

    Args:
        array: An array, a tensor or `HostRows`.
        samples: The indices of the samples.
    """
    if current().is_tensor(array):
        return current().gather_rows(array, current().convert_to_tensor(samples))
    return to_batch(array[samples])


def to_batch(array: Any) -> Any:
    """Returns the data of a batch in the form that a step takes fastest.

    Args:
        array: An array, a tensor or `HostRows`.
    """
    if isinstance(array, np.ndarray):
        return current().prepare_host_batch(array)
    return array.to_tensor() if isinstance(array, HostRows) else array
