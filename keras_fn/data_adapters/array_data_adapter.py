"""Batches cut from arrays that are put on the device once; the parts of a batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.data_adapters.data_adapter_utils import Rows, each_array
from keras_fn.errors import SpecError


class ArrayBatches:
    """Batches cut from arrays.

    Args:
        rows: Arrays of one first size.
        batch_size: Samples in a batch.
        shuffle: Whether each epoch has an order of its own.
        seed: Where the orders come from: the same on every backend.
        once: Whether they are gone through once: batches are then cut on the host, and there is
            never more than they on the device.
    """

    def __init__(self, rows: Rows, batch_size: int, shuffle: bool, seed: int, once: bool = False):
        self.rows = rows
        self.size = len(rows[0][0])
        self.batch_size, self.shuffle, self.seed = min(batch_size, self.size), shuffle, seed
        leaves = [a for group in rows for a in group or () if a is not None]
        on_host = all(isinstance(a, np.ndarray) for a in leaves)
        self._cut_on_host = not shuffle and on_host and (once or self.size == self.batch_size)
        self.limit: int | None = None  # batches in an epoch, where it is not all
        self._tensors: Any = None

    def __len__(self) -> int:
        every = -(-self.size // self.batch_size)
        return every if self.limit is None else min(every, self.limit)

    def peek(self) -> Rows:
        """Returns all rows: what is checked before the first step."""
        return self.rows

    def get_state(self) -> dict[str, Any]:
        """Returns what the order of the samples depends on."""
        return {"samples": self.size, "batch_size": self.batch_size, "seed": self.seed}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with the order of another run.

        Raises:
            SpecError: It has other data.
        """
        ours = self.get_state()
        if state.keys() != ours.keys() or any(state[k] != ours[k] for k in ours if k != "seed"):
            raise SpecError(
                "fit",
                expected=f"the data that the run began with: {state}",
                received=f"{ours}",
                fix="pass the same arrays and batch size, or use another folder for the backup",
            )
        self.seed = state["seed"]

    @property
    def tensors(self) -> Any:
        """The arrays on the device, as `(x, y, sample_weight)`."""
        if self._tensors is None:
            self._tensors = each_array(self.rows, current().borrow)
        return self._tensors

    def _order(self, turn: int) -> np.ndarray:
        """The samples in the order of one turn through them all."""
        if self.shuffle:
            return shuffled(self.size, self.seed, turn)
        return np.arange(self.size, dtype=np.int32)

    def runs(self, epoch: int, start: int = 0) -> Iterator[np.ndarray]:
        """Yields the samples of an epoch in runs: each is cut into batches, the last may be short.

        Where an epoch has fewer batches than the data, the next one goes on where it ended.

        Args:
            epoch: Which epoch it is, from 0.
            start: The first batch that is wanted.
        """
        every, size = -(-self.size // self.batch_size), self.batch_size
        first, end = epoch * len(self) + start, (epoch + 1) * len(self)
        while first < end:
            turn, batch = divmod(first, every)
            count = min(every - batch, end - first)
            yield self._order(turn)[batch * size : (batch + count) * size]
            first += count

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, indices)` for each batch of an epoch, from batch `start` on."""
        if self._cut_on_host:
            rows, size = current().batch_rows, self.batch_size
            for first in range(start * size, len(self) * size, size):
                part = slice(first, first + size)
                yield each_array(self.rows, lambda a: rows(a[part])), None  # noqa: B023
            return
        tensors = self.tensors
        for run in self.runs(epoch, start):
            for indices in current().batch_indices(run, self.batch_size):
                yield tensors, indices


def shuffled(size: int, seed: int, turn: int) -> np.ndarray:
    """The numbers below `size` in an order of each turn's own, the same on every backend."""
    # Keyed by the turn: a run that resumes in the middle finds the same order.
    generator = np.random.Generator(np.random.Philox(key=[seed, turn]))
    return generator.permutation(size).astype(np.int32)
