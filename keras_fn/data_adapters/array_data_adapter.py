"""Data adapter for arrays: they are copied to the device once, and steps gather their samples."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.cleanup import register_cleanup
from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.data_adapters.data_adapter_utils import FlatBatch, map_leaves
from keras_fn.data_adapters.host_inputs import HostInputs
from keras_fn.data_adapters.host_rows import HostRows, take_samples
from keras_fn.data_adapters.prefetch import Prefetch
from keras_fn.errors import SpecError
from keras_fn.settings import settings


class ArrayDataAdapter(DataAdapter):
    """Batches of arrays.

    Args:
        data: Arrays with the same number of samples.
        batch_size: Number of samples in a batch.
        steps: Number of batches in an epoch; None for all.
        shuffle: Whether to shuffle the samples before each epoch.
        seed: Seed of the shuffling. A seed means the same order on every backend.
        once: Whether the data is read in one pass only: batches are then sliced on the host, and no
            more than a few are on the device at a time.
    """

    def __init__(
        self,
        data: FlatBatch,
        batch_size: int,
        shuffle: bool,
        seed: int,
        steps: int | None = None,
        once: bool = False,
    ):
        self.data = data
        self.size = data[0][0].shape[0]
        # Frameworks refuse NumPy's integers.
        self.batch_size, self.shuffle, self.seed = min(int(batch_size), self.size), shuffle, seed
        self.steps = None if steps is None else int(steps)
        leaves = [a for group in data for a in group or () if a is not None]
        on_host = all(isinstance(a, np.ndarray) for a in leaves)
        self._slices_on_host = not shuffle and on_host and (once or self.size == self.batch_size)
        self.gathers_on_host = any(isinstance(a, HostRows) for a in leaves)
        self._has_background_work = any(type(a) is HostInputs and a.background for a in leaves)
        self._tensors: Any = None

    @property
    def _batches_per_pass(self) -> int:
        return -(-self.size // self.batch_size)

    def __len__(self) -> int:
        total = self._batches_per_pass
        return total if self.steps is None else min(total, self.steps)

    def peek(self) -> FlatBatch:
        """Returns all arrays: they are checked before the first step."""
        return self.data

    def get_state(self) -> dict[str, Any]:
        """Returns what the order of the samples depends on."""
        return {"samples": self.size, "batch_size": self.batch_size, "seed": self.seed}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues with the sample order of another run.

        Args:
            state: The result of `get_state`.

        Raises:
            SpecError: The run had other data or another batch size.
        """
        ours = self.get_state()
        if state.keys() != ours.keys() or any(state[k] != ours[k] for k in ours if k != "seed"):
            raise SpecError(
                "fit",
                expected=f"the data that the run started with: {state}",
                received=f"{ours}",
                fix="pass the same arrays and batch size, or use another folder for the backup",
            )
        self.seed = state["seed"]

    @property
    def tensors(self) -> Any:
        """The arrays on the device: a flat batch of all samples."""
        if self._tensors is None:
            self._tensors = map_arrays(current().from_numpy, self.data)
            if settings.distribution is not None:  # any device may need any of the samples
                self._tensors = map_leaves(settings.distribution.replicate, self._tensors)
        return self._tensors

    def index_runs(self, epoch: int, start: int = 0) -> Iterator[np.ndarray]:
        """Yields the sample indices of an epoch in runs, each to be split into batches.

        An epoch of fewer batches than the data has continues where the last one ended, so it may
        consist of the end of one pass through the data and the beginning of the next: two runs.
        Only the last batch of a pass may be smaller.

        Args:
            epoch: Index of the epoch.
            start: Index of the first batch to yield.

        Returns:
            int32 vectors.
        """
        per_pass, size = self._batches_per_pass, self.batch_size
        first, end = epoch * len(self) + start, (epoch + 1) * len(self)
        while first < end:
            pass_index, batch = divmod(first, per_pass)
            count = min(per_pass - batch, end - first)
            yield self._sample_order(pass_index)[batch * size : (batch + count) * size]
            first += count

    def _sample_order(self, pass_index: int) -> np.ndarray:
        if self.shuffle:
            return shuffled_indices(self.size, self.seed, pass_index)
        return np.arange(self.size, dtype=np.int32)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, indices)` for each batch of an epoch.

        Args:
            epoch: Index of the epoch.
            start: Index of the first batch to yield.
        """
        if self._slices_on_host:
            convert, size = current().prepare_host_batch, self.batch_size
            for first in range(start * size, len(self) * size, size):
                samples = slice(first, first + size)
                yield map_arrays(lambda a: convert(a[samples]), self.data), None  # noqa: B023
            return
        if self.gathers_on_host:
            batches = self.epoch_on_host(epoch, start)
            yield from self._prefetch(batches) if self._has_background_work else batches
            return
        tensors = self.tensors
        for indices in self.index_runs(epoch, start):
            for batch in current().split_into_batches(indices, self.batch_size):
                yield tensors, batch

    def _prefetch(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Yields batches that a thread computes ahead of the steps."""
        prefetch = Prefetch(batches)
        register_cleanup(prefetch.close)
        try:
            yield from prefetch
        finally:
            prefetch.close()

    def epoch_on_host(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, None]]:
        """Yields `(tensors, None)` for each batch of data that is not on the device as a whole.

        Args:
            epoch: Index of the epoch.
            start: Index of the first batch to yield.
        """
        for indices in self.index_runs(epoch, start):
            for first in range(0, len(indices), self.batch_size):
                samples = indices[first : first + self.batch_size]
                yield map_leaves(lambda a: take_samples(a, samples), self.data), None  # noqa: B023


def map_arrays(function: Callable[[np.ndarray], Any], data: FlatBatch) -> Any:
    """Applies `function` to the host arrays of a flat batch; tensors stay as they are."""
    return tuple(
        None if group is None else [function(a) if isinstance(a, np.ndarray) else a for a in group]
        for group in data
    )


def shuffled_indices(size: int, seed: int, pass_index: int) -> np.ndarray:
    """Returns the indices below `size` in random order, as an int32 vector.

    Args:
        size: Number of indices.
        seed: Seed; it means the same order on every backend.
        pass_index: Index of the pass through the data. Each has its own order, which does not
            depend on the passes before: a resumed run starts in the middle.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, pass_index]))
    return generator.permutation(size).astype(np.int32)
