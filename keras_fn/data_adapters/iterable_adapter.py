"""Data adapter for iterables: generators, loaders and data sets of any library."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from keras_fn.data_adapters.data_adapter import BindBatch, StreamAdapter
from keras_fn.data_adapters.data_adapter_utils import FlatBatch, no_batch, no_end
from keras_fn.data_adapters.iterator_state import (
    check_iterator_state,
    get_iterator_state,
    set_iterator_state,
)


class IterableAdapter(StreamAdapter):
    """Batches of an iterable, or of an iterator that can be consumed only once.

    Without a number of steps, each epoch iterates over the source from its start. With one, an
    epoch continues where the last one ended, and restarts the source when it is exhausted. The
    source is never asked for a batch of an epoch that has not started.

    Args:
        source: Yields `x`, `(x, y)` or `(x, y, sample_weight)`.
        bind: Converts each to a flat batch.
        steps: Number of batches in an epoch; needed for infinite sources.
        background: Whether a thread fetches batches ahead of the steps.
    """

    def __init__(self, source: Any, bind: BindBatch, steps: int | None, background: bool = True):
        super().__init__(source, bind, steps, background)
        if steps is None and getattr(source, "is_endless", False):
            raise no_end(source)
        self._iterator: Iterator[Any] | None = None
        self._source_iterator: Iterator[Any] | None = None  # without the batch that was peeked at
        self._peeked: Any = None
        self._tracks = ""  # when the position is recorded: after each "batch", "epoch", or never
        self._batches_consumed = 0  # in this pass through the source
        self._length: int | None = _length(source)

    def __len__(self) -> int:
        return min((n for n in (self.steps, self._length) if n is not None), default=0)

    def peek(self) -> FlatBatch:
        """Returns the first batch, which the next epoch will yield as well."""
        if self._peeked is None:
            self._restart_source()
            try:
                self._peeked = next(self._iterator)  # type: ignore[arg-type]
            except StopIteration:
                raise no_batch() from None
            self._iterator = chain([self._peeked], self._iterator)  # type: ignore[arg-type]
        return self.bind(self._peeked)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each batch of an epoch.

        Args:
            epoch: Index of the epoch.
            start: Index of the first batch to yield.

        Returns:
            The pairs; none, with a warning, if the source is exhausted and cannot be restarted.
        """
        if self.steps is None and self._started:
            self._iterator = None
        position = None if self._started else self.position  # of the run that this one resumes
        consumed, self._peeked = self._epochs_consumed(epoch), None
        done = start
        for batch in self._fetch(self._resume(start, consumed if self.steps else 0, position)):
            yield batch
            done += 1
        self._warn_if_short(done)
        if self.steps is None and done:
            self._length = done
        self.position = self._get_position() if self._tracks else None

    def _resume(self, start: int, epochs: int, position: Any) -> Iterator[Any]:
        """Yields the batches of an epoch from `start` on, after `epochs` or from a position."""
        if position is not None:
            self._iterator = self._source_iterator = None  # the batch peeked at comes again
            self._source_iterator = self._iterator = set_iterator_state(
                self.source, position["told"], position["pulled"] is not None
            )
            self._batches_consumed = position["pulled"] or 0
            yield from self._rest_of_epoch(start)
            return
        for _ in range(epochs):
            for _ in self._rest_of_epoch():
                pass
        yield from islice(self._rest_of_epoch(), start, None)

    def _rest_of_epoch(self, done: int = 0) -> Iterator[Any]:
        """Yields the batches of one epoch after the first `done`, as the source yields them."""
        if self._iterator is None:
            self._restart_source()
        # Whether the current pass started in this epoch: then it is not restarted once more.
        count, is_whole_pass = done, self._batches_consumed <= done
        while self.steps is None or count < self.steps:
            try:
                batch = next(self._iterator)  # type: ignore[arg-type]
            except StopIteration:
                self._iterator = None
                if self.steps is None or is_whole_pass:
                    return
                self._restart_source()
                is_whole_pass = True
                continue
            self._batches_consumed += 1
            count += 1
            yield batch

    def _restart_source(self) -> None:
        self._source_iterator = self._iterator = iter(self.source)
        self._batches_consumed = 0

    def track_position(self, at_batches: bool) -> None:
        """Records the position in the source from now on, for backups.

        Args:
            at_batches: Whether after each batch, or after epochs only.
        """
        self._tracks = "batch" if at_batches else "epoch"

    def _current_position(self) -> Any:
        return self._get_position() if self._tracks == "batch" else None

    def _get_position(self) -> Any:
        is_within_pass = self._iterator is not None
        state = get_iterator_state(self.source, self._source_iterator if is_within_pass else None)
        # The keys are those of backup files.
        return state and {
            "told": state,
            "pulled": self._batches_consumed if is_within_pass else None,
        }

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed run needs, with the position in the source if it has one."""
        return {**super().get_state(), "place": self.position}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from the state of another run.

        Args:
            state: The result of `get_state`.

        Raises:
            SpecError: The data is of another kind than the data of that run.
        """
        position = state.get("place")
        if position is not None:
            check_iterator_state(self.source, self._source_iterator, position["told"])
        super().set_state(state)
        self.position = position


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except (TypeError, NotImplementedError):  # it has none, or does not know it
        return None
