"""Data of which each process reads its own part: the rows of all processes make a global batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.data_adapters.array_data_adapter import ArrayDataAdapter
from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.data_adapters.data_adapter_utils import FlatBatch, map_leaves, to_host
from keras_fn.data_adapters.host_rows import HostRows
from keras_fn.distribution.processes import exchange_text, processes
from keras_fn.distribution.replica_steps import split_rows
from keras_fn.errors import UnsupportedError
from keras_fn.settings import settings

_BATCH_SIZE = 32  # by default


def join_own_data(data: DataAdapter, batch_size: int | None) -> DataAdapter:
    """Returns an adapter of global batches, if each process has data of its own.

    Args:
        data: The adapter of the data of this process.
        batch_size: Number of samples in a global batch of arrays. Default 32.
    """
    distribution = settings.distribution
    if distribution is None or distribution.auto_shard_dataset or distribution.num_processes == 1:
        return data
    return OwnDataAdapter(data, batch_size or _BATCH_SIZE)


class OwnDataAdapter(DataAdapter):
    """Global batches, of which each process has read rows: process 0 the first ones.

    Nothing is dropped or doubled: where the data of a process has ended, the others give all rows.

    Args:
        data: The adapter of the data of this process.
        batch_size: Number of samples in a global batch; of arrays, a process reads its part.

    Attributes:
        counts: How many rows each process had, for each step of the last epoch.
    """

    def __init__(self, data: DataAdapter, batch_size: int):
        self._data, self.counts = data, list[list[int]]()
        self._first: FlatBatch | None = None
        if isinstance(data, ArrayDataAdapter):
            size = split_rows(int(batch_size), processes.index, processes.count).count
            data.batch_size = max(1, min(size, data.size))
        lengths = [int(text) for text in exchange_text("own data", str(len(data)))]
        self._length = max(lengths) if all(lengths) else 0

    @property
    def steps(self) -> int | None:  # type: ignore[override]
        """Number of batches in an epoch; None for all."""
        return self._data.steps

    def __len__(self) -> int:
        return min(self._length, self.steps) if self.steps and self._length else self._length

    def peek(self) -> FlatBatch:
        """Returns the arrays of this process to check before the first step."""
        if self._first is None:
            self._first = self._data.peek()
        return self._first

    def limit_steps(self, steps: int) -> None:
        """Limits the number of batches in an epoch, in each process.

        Args:
            steps: The largest number.
        """
        self._data.limit_steps(steps)

    def get_state(self) -> dict[str, Any]:
        """Returns the position of this process in its data."""
        return self._data.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from the state of this process in another run.

        Args:
            state: The result of `get_state`.
        """
        self._data.set_state(state)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields the tensors of each global batch, and None.

        Args:
            epoch: Index of the epoch.
            start: Index of the first batch to yield.
        """
        self.peek()
        is_array = isinstance(self._data, ArrayDataAdapter)
        read = self._data.epoch_on_host if is_array else self._data.epoch  # type: ignore[attr-defined]
        batches, self.counts = read(epoch, start), []
        while True:
            own, _ = next(batches, (None, None))
            rows = map_leaves(_empty if own is None else _to_rows, own or self.peek())
            count = (
                0 if own is None else len(next(x for g in rows for x in g or () if x is not None))
            )
            counts = settings.distribution.gather_counts(count)
            if not any(counts):
                return
            self.counts.append(counts)
            yield map_leaves(lambda x: settings.distribution.join_rows(x, counts), rows), None  # noqa: B023

    def take_own(self, outputs: list[Any]) -> list[Any]:
        """Returns the rows of this process, of the outputs of each step of the last epoch.

        Args:
            outputs: The outputs of each step, nested.
        """
        own = []
        for counts, output in zip(self.counts, outputs, strict=True):
            start = sum(counts[: processes.index])
            rows = slice(start, start + counts[processes.index])
            own.append(tree.map_structure(lambda x: current().convert_to_numpy(x)[rows], output))  # noqa: B023
        return own


def _to_rows(x: Any) -> np.ndarray:
    if isinstance(x, HostRows) or not (current().is_tensor(x) or isinstance(x, np.ndarray)):
        raise UnsupportedError(
            "auto_shard_dataset=False sends arrays of numbers of one length to all processes, and "
            f"the data has {type(x).__name__}.",
            fix="pass the same data in all processes with auto_shard_dataset=True, or pad it",
        )
    return to_host(x)


def _empty(x: Any) -> np.ndarray:
    return _to_rows(x[:1])[:0]
