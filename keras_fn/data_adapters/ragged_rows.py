"""Samples of unequal lengths as data: each batch is padded to its own length, and masked."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.ragged import PaddedBatch, get_samples, is_ragged, pad_samples
from keras_fn.data_adapters.host_rows import HostRows
from keras_fn.errors import SpecError


class RaggedRows(HostRows):
    """Samples whose first axis, time, has a length of its own.

    Args:
        samples: Arrays of shapes `(time, ...)`.
        dtype: The dtype of batches; that to which the samples are promoted by default.
        length: The number of time steps of every batch; that of its longest sample, rounded up to
            a power of 2, by default: a compiled step is compiled again for each new length.
        is_masked: Whether batches have a mask. Targets need none: predictions have one.
    """

    sparse = False

    def __init__(
        self,
        samples: Sequence[np.ndarray],
        dtype: Any = None,
        length: int | None = None,
        is_masked: bool = True,
    ):
        self.samples, self.length, self.is_masked = samples, length, is_masked
        self.dtype = np.dtype(dtype or np.result_type(*[sample.dtype for sample in samples]))
        self.shape = (len(samples), length, *samples[0].shape[1:])

    def _like(self, samples: Sequence[np.ndarray], **changes: Any) -> "RaggedRows":
        options = {"dtype": self.dtype, "length": self.length, "is_masked": self.is_masked}
        return RaggedRows(samples, **(options | changes))

    def __getitem__(self, samples: slice | np.ndarray) -> "RaggedRows":
        if isinstance(samples, slice):
            return self._like(self.samples[samples])
        return self._like([self.samples[i] for i in samples])

    def astype(self, dtype: Any) -> "RaggedRows":
        """Returns the samples for batches of another dtype.

        Args:
            dtype: A dtype of NumPy.
        """
        return self._like(self.samples, dtype=dtype)

    def reshape(self, shape: Sequence[Any]) -> "RaggedRows":
        """Returns the samples with a last axis of size 1 added or removed.

        Args:
            shape: The shape of all samples.
        """
        added = len(shape) > len(self.shape)
        return self._like([s[..., None] if added else s[..., 0] for s in self.samples])

    def with_length(self, length: int | None, source: str) -> "RaggedRows":
        """Returns the samples for a model whose number of time steps is fixed.

        Args:
            length: The number of time steps, or None.
            source: The model, for errors.

        Raises:
            SpecError: A sample is longer.
        """
        longest = max(map(len, self.samples))
        if length is not None and longest > length:
            raise SpecError(
                source,
                expected=f"samples of at most {length} time steps, as its Input has",
                received=f"one of {longest}",
                fix="cut the samples, or make an Input whose first size is None",
            )
        return self if length is None else self._like(self.samples, length=length)

    def without_mask(self) -> "RaggedRows":
        """Returns the samples for batches without a mask."""
        return self._like(self.samples, is_masked=False)

    @property
    def values(self) -> np.ndarray:
        """The elements of all samples."""
        return np.concatenate([sample.ravel() for sample in self.samples])

    def to_array(self) -> np.ndarray:
        """Returns all samples as one array, padded with zeros."""
        return self._pad().values

    def _pad(self) -> PaddedBatch:
        length = self.length
        if length is None:
            longest = max([1, *map(len, self.samples)])
            length = 1 << (longest - 1).bit_length()
        values, mask = pad_samples(self.samples, length)
        return PaddedBatch(values.astype(self.dtype, copy=False), mask)

    def to_tensor(self) -> Any:
        """Returns the samples of a batch, padded; a `PaddedBatch` if they have a mask."""
        convert = current().prepare_host_batch
        values, mask = self._pad()
        return PaddedBatch(convert(values), convert(mask)) if self.is_masked else convert(values)


def find_ragged(x: Any, source: str) -> Any:
    """Returns data with samples of unequal lengths as `RaggedRows`, and anything else as it is.

    Args:
        x: The data for one input: a ragged tensor, a list of arrays or lists, an array of lists.
        source: The model, for errors.
    """
    if is_ragged(x) or _is_ragged_list(x):
        return RaggedRows(get_samples(x, source))
    return x


def _is_ragged_list(x: Any) -> bool:
    """Returns whether `x` is a list, or an array of objects, with items of unequal lengths."""
    if isinstance(x, np.ndarray):
        if x.dtype != object or x.ndim != 1:
            return False
    elif not isinstance(x, (list, tuple)):
        return False
    if not all(isinstance(item, (list, tuple)) or _is_array(item) for item in x):
        return False
    return len({len(item) for item in x}) > 1 and all(map(_has_time_axis, x))


def _is_array(item: Any) -> bool:
    return hasattr(item, "shape") and hasattr(item, "dtype") and len(item.shape) > 0


def _has_time_axis(item: Any) -> bool:
    """Returns whether an item is a sample: a list of arrays would be several inputs."""
    plain = (int, float, list, tuple, np.generic)
    return _is_array(item) or all(isinstance(value, plain) for value in item)
