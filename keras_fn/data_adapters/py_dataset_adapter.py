"""Data adapter for `PyDataset`: its batches are computed by index, in any order, by workers."""

from collections.abc import Iterator
from typing import Any

from keras_fn._lazy import LazyModule
from keras_fn.data_adapters.array_data_adapter import shuffled_indices
from keras_fn.data_adapters.data_adapter import BindBatch, StreamAdapter
from keras_fn.data_adapters.data_adapter_utils import FlatBatch, no_batch, no_end
from keras_fn.data_adapters.py_dataset import PyDataset

worker_pool: Any = LazyModule("keras_fn.data_adapters.worker_pool")


class PyDatasetAdapter(StreamAdapter):
    """Batches of a PyDataset, loaded by its workers.

    An epoch of fewer batches than the data set has continues where the last one ended.

    Args:
        source: The data set.
        bind: Converts its batches to flat batches.
        steps: Number of batches in an epoch; needed for an infinite data set.
        shuffle: Whether to shuffle the batches before each pass through the data set.
        seed: Seed of the shuffling. A seed means the same order on every backend.
        background: Whether workers and a thread load batches ahead of the steps.

    Raises:
        SpecError: The data set is infinite, and there is no number of steps.
    """

    def __init__(
        self,
        source: PyDataset,
        bind: BindBatch,
        steps: int | None,
        shuffle: bool,
        seed: int,
        background: bool,
    ):
        num_workers = source.workers if background else 0
        super().__init__(source, bind, steps, background=num_workers > 0)
        self.shuffle, self.seed = shuffle, seed
        self._workers = worker_pool.WorkerPool(source, num_workers)
        self._first_batch: FlatBatch | None = None
        if steps is None and source.num_batches is None:
            raise no_end(source)

    def __len__(self) -> int:
        return min(n for n in (self.source.num_batches, self.steps) if n is not None)

    def peek(self) -> FlatBatch:
        """Returns batch 0, as an example of the batches."""
        if self._first_batch is None:
            if self.source.num_batches == 0:
                raise no_batch()
            self._first_batch = self.bind(self.source[0])
        return self._first_batch

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed run needs, with the seed of the shuffling."""
        return {**super().get_state(), "seed": self.seed}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from the state of another run.

        Args:
            state: The result of `get_state`.

        Raises:
            SpecError: The data is of another kind than the data of that run.
        """
        super().set_state(state)
        self.seed = state["seed"]

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each batch of an epoch.

        Args:
            epoch: Index of the epoch.
            start: Index of the first batch to yield.
        """
        self._first_batch = None
        for _ in range(self._epochs_consumed(epoch)):  # the hooks may have changed the data set
            self.source.on_epoch_begin()
            self.source.on_epoch_end()
        self.source.on_epoch_begin()
        count = len(self)
        self._warn_if_short(count)
        indices = self._batch_indices(epoch * count + start, count - start)
        yield from self._fetch(self._workers.load(indices))
        self.source.on_epoch_end()

    def _batch_indices(self, first: int, count: int) -> Iterator[int]:
        """Yields the indices of `count` batches; `first` counts from the start of epoch 0."""
        per_pass = self.source.num_batches
        while count:
            pass_index, batch = divmod(first, per_pass) if per_pass else (0, first)
            run = min(count, per_pass - batch) if per_pass else count
            if per_pass and self.shuffle:
                order = shuffled_indices(per_pass, self.seed, pass_index)
                yield from map(int, order[batch : batch + run])
            else:
                yield from range(batch, batch + run)
            first, count = first + run, count - run

    def close(self) -> None:
        """Stops the prefetching thread and the workers."""
        self._workers.close()  # first, as the thread may be waiting for them
        super().close()
