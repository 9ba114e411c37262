"""Batches that come one by one: from generators, loaders and data sets of any library."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from keras_fn.data_adapters import iterator_state as positions
from keras_fn.data_adapters.data_adapter import Arrange, Fetched, _length
from keras_fn.data_adapters.data_adapter_utils import Rows


class IterableBatches(Fetched):
    """Batches of something that can be gone through, once or again and again.

    Each epoch goes through it from the beginning. With a number of steps, an epoch goes on where
    the last one ended, and where the source ends, at its beginning, if it has one again. The
    source is asked for no batch of an epoch that has not begun.

    Args:
        source: What yields `x`, `(x, y)` or `(x, y, sample_weight)`.
        arrange: Turns each into rows.
        steps: Batches in an epoch, for sources without an end.
        background: Whether a thread fetches ahead.
    """

    def __init__(self, source: Any, arrange: Arrange, steps: int | None, background: bool = True):
        super().__init__(source, arrange, steps, background)
        self._iterator: Iterator[Any] | None = None
        self._inner: Iterator[Any] | None = None  # the source's own, which `_iterator` goes on with
        self._peeked: Any = None
        self._places = ""  # after what the place is noted: "batch", "epoch" or nothing
        self._pulled = 0  # batches of this turn through the source
        self._length: int | None = _length(source)

    def __len__(self) -> int:
        return min((n for n in (self.steps, self._length) if n is not None), default=0)

    def peek(self) -> Rows:
        """Returns the first batch, which the next epoch will yield too."""
        if self._peeked is None:
            self._turn()
            try:
                self._peeked = next(self._iterator)  # type: ignore[arg-type]
            except StopIteration:
                raise ValueError("The data yields no batch.") from None
            self._iterator = chain([self._peeked], self._iterator)  # type: ignore[arg-type]
        return self.arrange(self._peeked)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each batch of an epoch, from batch `start` on."""
        if self.steps is None and self._begun:
            self._iterator = None
        place = None if self._begun else self.place  # that of the run which this one resumes
        passed, self._peeked = self._passed(epoch), None
        done = start
        for batch in self._fetched(self._from(start, passed if self.steps else 0, place)):
            yield batch
            done += 1
        if not done:
            raise ValueError(
                "The data has run out: it yields no batch for this epoch.\n"
                "  fix: pass something that can be gone through again, or a generator without end "
                "and the number of steps"
            )
        self._check_steps(done)
        if self.steps is None:
            self._length = done
        self.place = self._tell() if self._places else None

    def _from(self, start: int, passed: int, place: Any) -> Iterator[Any]:
        """The batches of an epoch from `start` on, after so many epochs, or from a place on."""
        if place is not None:
            self._iterator = self._inner = None  # what has been peeked at comes again
            self._inner = self._iterator = positions.take(
                self.source, place["told"], place["pulled"] is not None
            )
            self._pulled = place["pulled"] or 0
            yield from self._epoch(start)
            return
        for _ in range(passed):
            for _ in self._epoch():
                pass
        yield from islice(self._epoch(), start, None)

    def _epoch(self, done: int = 0) -> Iterator[Any]:
        """The batches of one epoch that are left after so many, as they come."""
        if self._iterator is None:
            self._turn()
        count, whole = done, self._pulled <= done  # whether this turn has begun in this epoch
        while self.steps is None or count < self.steps:
            try:
                batch = next(self._iterator)  # type: ignore[arg-type]
            except StopIteration:
                self._iterator = None
                if self.steps is None or whole:
                    return
                self._turn()
                whole = True
                continue
            self._pulled += 1
            count += 1
            yield batch

    def _turn(self) -> None:
        """Begins to go through the source."""
        self._inner = self._iterator = iter(self.source)
        self._pulled = 0

    def keep_places(self, at_batches: bool) -> None:
        """Notes from now on where in the source the run is: a backup is to be made of it.

        Args:
            at_batches: Whether after each batch, or after epochs alone.
        """
        self._places = "batch" if at_batches else "epoch"

    def _where(self) -> Any:
        return self._tell() if self._places == "batch" else None

    def _tell(self) -> Any:
        within = self._iterator is not None
        told = positions.tell(self.source, self._inner if within else None)
        return told and {"told": told, "pulled": self._pulled if within else None}

    def get_state(self) -> dict[str, Any]:
        """Returns the place in the source, too, if it can tell it."""
        return {**super().get_state(), "place": self.place}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on as the run that had this state.

        Raises:
            SpecError: It had data of another kind.
        """
        if state.get("place") is not None:
            positions.check(self.source, self._inner, state["place"]["told"])
        super().set_state(state)
