"""Batches that come one by one: from generators, loaders and data sets of any library."""

from collections.abc import Iterator
from typing import Any

from keras_fn._lazy import Deferred
from keras_fn.data_adapters.array_data_adapter import shuffled
from keras_fn.data_adapters.data_adapter import Arrange, Fetched
from keras_fn.data_adapters.data_adapter_utils import Rows
from keras_fn.data_adapters.py_dataset import PyDataset
from keras_fn.errors import SpecError


class PyDatasetBatches(Fetched):
    """Batches of a PyDataset, which its workers load.

    Where an epoch has fewer batches than the data set, the next one goes on where it ended.

    Args:
        source: The data set.
        arrange: Turns its batches into rows.
        steps: Batches in an epoch; needed where the data set has no end.
        shuffle: Whether the batches come in an order of each turn's own.
        seed: Where the orders come from: the same on every backend.
        background: Whether workers and a thread load ahead.

    Raises:
        SpecError: The data set has no end, and no number of steps is given.
    """

    def __init__(
        self,
        source: PyDataset,
        arrange: Arrange,
        steps: int | None,
        shuffle: bool,
        seed: int,
        background: bool,
    ):
        workers = source.workers if background else 0
        super().__init__(source, arrange, steps, background=workers > 0)
        self.shuffle, self.seed = shuffle, seed
        self._workers = _workers.Workers(source, workers)
        self._first: Rows | None = None
        if steps is None and source.num_batches is None:
            raise SpecError(
                type(source).__name__,
                expected="the number of steps in an epoch",
                received="none, and data without an end",
                fix="pass steps_per_epoch (or steps)",
            )

    def __len__(self) -> int:
        every = self.source.num_batches
        return min(n for n in (every, self.steps) if n is not None)

    def peek(self) -> Rows:
        """Returns batch 0, to see what batches are like."""
        if self._first is None:
            if self.source.num_batches == 0:
                raise ValueError("The data yields no batch.")
            self._first = self.arrange(self.source[0])
        return self._first

    def get_state(self) -> dict[str, Any]:
        """Returns where the orders come from, too."""
        return {**super().get_state(), "seed": self.seed}

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each batch of an epoch, from batch `start` on."""
        self._first = None
        for _ in range(self._passed(epoch)):  # what these do to the data set, they did then
            self.source.on_epoch_begin()
            self.source.on_epoch_end()
        self.source.on_epoch_begin()
        count = len(self)
        self._check_steps(count)
        indices = self._indices(epoch * count + start, count - start)
        yield from self._fetched(self._workers.load(indices))
        self.source.on_epoch_end()

    def _indices(self, first: int, count: int) -> Iterator[int]:
        """The numbers of batches, counted from the beginning of the first epoch."""
        every = self.source.num_batches
        while count:
            turn, batch = divmod(first, every) if every else (0, first)
            run = min(count, every - batch) if every else count
            if every and self.shuffle:
                yield from map(int, shuffled(every, self.seed, turn)[batch : batch + run])
            else:
                yield from range(batch, batch + run)
            first, count = first + run, count - run

    def close(self) -> None:
        """Ends the fetching ahead, and the workers."""
        self._workers.close()  # first, as the thread may be waiting for them
        super().close()


_workers = Deferred("keras_fn.data_adapters.worker_pool")
