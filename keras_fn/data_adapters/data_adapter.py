"""The data adapter interface, and adapters for sources that yield one batch at a time."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.cleanup import register_cleanup
from keras_fn.data_adapters.data_adapter_utils import FlatBatch, map_leaves
from keras_fn.data_adapters.host_rows import HostRows, to_batch
from keras_fn.data_adapters.prefetch import Prefetch
from keras_fn.errors import SpecError

BindBatch = Callable[[Any], FlatBatch]
"""Converts a batch, as a source yields it, to a flat batch of checked arrays."""


class DataAdapter(ABC):
    """Converts a source of data to batches of tensors, epoch by epoch.

    The length is the number of batches in an epoch, 0 if it is unknown.
    """

    steps: int | None
    """Number of batches in an epoch; None for all."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def peek(self) -> FlatBatch:
        """Returns the arrays to check before the first step: all of them, or the first batch."""

    @abstractmethod
    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, indices)` for each batch of an epoch.

        Args:
            epoch: Index of the epoch.
            start: Index of the first batch to yield.

        Returns:
            Pairs of the tensors, a flat batch, and the indices of the samples in them: the step
            gathers the batch. Indices are None where the tensors are the batch.
        """

    def limit_steps(self, steps: int) -> None:
        """Limits the number of batches in an epoch. Called before the first one.

        Args:
            steps: The largest number.
        """
        self.steps = steps

    @abstractmethod
    def get_state(self) -> dict[str, Any]:
        """Returns the position and the shuffling seed, for a backup."""

    @abstractmethod
    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from the state of another run.

        Args:
            state: The result of `get_state`.

        Raises:
            SpecError: The data differs from the data of that run.
        """


class StreamAdapter(DataAdapter):
    """Base of adapters whose batches come one by one. A thread moves them to the device early.

    Args:
        source: The data.
        bind: Converts a batch of the source to a flat batch.
        steps: Number of batches in an epoch; None for all.
        background: Whether a thread fetches batches ahead of the steps.

    Attributes:
        start_epoch: The epoch in which the source was first read. A run that is resumed in a new
            process skips the batches that the epochs since then consumed.
        position: The position in the source after the last batch that was handed out, if the source
            supports it.
    """

    def __init__(self, source: Any, bind: BindBatch, steps: int | None, background: bool):
        self.source, self.bind, self.steps, self.background = source, bind, steps, background
        self.start_epoch: int | None = None
        self._started = False  # whether an epoch has
        self._prefetch: Prefetch | None = None
        self.position: Any = None
        self._needs_steps = True  # whether an epoch of fewer steps is worth a warning
        register_cleanup(self.close)

    def _fetch(self, batches: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each batch of the source."""
        self.close_thread()
        # Each batch carries the position at its time: the thread is ahead of the steps.
        pairs: Iterator[Any] = ((self._to_tensors(b), self._current_position()) for b in batches)
        if self.background:
            pairs = self._prefetch = Prefetch(pairs)
        try:
            for tensors, self.position in pairs:
                yield tensors, None
        finally:
            self.close_thread()

    def _to_tensors(self, batch: Any) -> Any:
        def convert(a: Any) -> Any:
            return to_batch(a) if isinstance(a, HostRows) else current().convert_to_tensor(a)

        return map_leaves(convert, self.bind(batch))

    def limit_steps(self, steps: int) -> None:
        """Limits the number of batches in an epoch. Called before the first one.

        Args:
            steps: The largest number; a source may yield fewer.
        """
        super().limit_steps(steps)
        self._needs_steps = False

    def _warn_if_short(self, done: int) -> None:
        """Warns if an epoch ended before its number of steps was reached, or without a batch."""
        if done and (self.steps is None or done >= self.steps or not self._needs_steps):
            return
        steps = "" if self.steps is None else f"; {self.steps} steps were asked for"
        warnings.warn(
            f"The input ran out of data after {done} batches{steps}. Ask for fewer steps, or pass "
            "data that repeats: a generator that has ended cannot be read again.",
            stacklevel=2,
        )

    def _current_position(self) -> Any:
        """Returns the position in the source, or None where it is not tracked."""

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed run needs to find its position."""
        return {"origin": self.start_epoch}

    def _epochs_consumed(self, epoch: int) -> int:
        """Returns how many epochs of the source the run consumed that this one resumes."""
        self.start_epoch = epoch if self.start_epoch is None else self.start_epoch
        consumed = 0 if self._started else epoch - self.start_epoch
        self._started = True
        return consumed

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from the state of another run.

        Args:
            state: The result of `get_state`.

        Raises:
            SpecError: The data is of another kind than the data of that run.
        """
        if state.keys() != self.get_state().keys():
            raise SpecError(
                "fit",
                expected="the data that the run started with",
                received=f"{type(self.source).__name__}",
                fix="pass the same data, or use another folder for the backup",
            )
        self.start_epoch = state["origin"]

    def close_thread(self) -> None:
        """Stops the prefetching thread."""
        if self._prefetch is not None:
            self._prefetch.close()
            self._prefetch = None

    def close(self) -> None:
        """Stops all threads and processes of the adapter."""
        self.close_thread()
