"""Batches that come one by one: from generators, loaders and data sets of any library."""

import warnings
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from keras_fn._lazy import Deferred
from keras_fn.backend.loader import current
from keras_fn.errors import SpecError
from keras_fn.training import positions
from keras_fn.training.data import Rows, shuffled
from keras_fn.training.prefetch import Prefetch
from keras_fn.training.py_dataset import PyDataset
from keras_fn.training.runs import at_end_of_run

_workers = Deferred("keras_fn.training.workers")
Arrange = Callable[[Any], Rows]


def is_batches(x: Any) -> bool:
    """Whether `x` yields batches, rather than being an array or nested arrays.

    Raises:
        SpecError: It has samples by number, and is neither.
    """
    if isinstance(x, (list, tuple, dict, np.ndarray, str, bytes)) or hasattr(x, "__array__"):
        return False
    if current().is_tensor(x) or hasattr(x, "dtype"):
        return False
    if isinstance(x, PyDataset) or hasattr(x, "__iter__") or hasattr(x, "__next__"):
        return True
    if hasattr(x, "__getitem__"):
        raise SpecError(
            "data", expected="arrays, or something that yields batches",
            given=f"a {type(x).__name__}, which has items by number and cannot be gone through",
            fix="derive it from keras.utils.PyDataset if its items are batches; wrap it in a "
            "torch.utils.data.DataLoader if they are samples",
        )  # fmt: skip
    return False


def batches_of(
    source: Any, arrange: Arrange, steps: int | None, shuffle: bool, seed: int, background: bool
) -> "Fetched":
    """Returns the batches of what yields them.

    Args:
        source: A PyDataset, or what can be gone through.
        arrange: Turns what comes into rows.
        steps: Batches in an epoch; all by default.
        shuffle: Whether each epoch has an order of its own; a PyDataset's alone is ours to say.
        seed: Where the orders come from.
        background: Whether a thread fetches ahead; else the step waits.
    """
    if isinstance(source, PyDataset):
        return PyDatasetBatches(source, arrange, steps, shuffle, seed, background)
    return IterableBatches(source, arrange, steps, background)


class Fetched:
    """Base of batches that come one by one: they are on the device when the step wants them.

    Attributes:
        origin: The epoch for which the source began. In a run that is resumed in a new process,
            what the epochs since then had is passed over.
        place: Where in the source the batch ended that was handed out last, if it can tell.
    """

    def __init__(self, source: Any, arrange: Arrange, steps: int | None, background: bool):
        self.source, self.arrange, self.steps, self.background = source, arrange, steps, background
        self.origin: int | None = None
        self._begun = False  # whether an epoch has
        self._prefetch: Prefetch | None = None
        self.place: Any = None
        at_end_of_run(self.close)

    def _fetched(self, items: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each of the items."""
        self.close_thread()
        # The place beside the batch, as it was then: a thread is ahead of the steps.
        batches: Iterator[Any] = ((self._tensors(item), self._where()) for item in items)
        if self.background:
            batches = self._prefetch = Prefetch(batches)
        try:
            for tensors, self.place in batches:
                yield tensors, None
        finally:
            self.close_thread()

    def _tensors(self, batch: Any) -> Any:
        convert = current().convert_to_tensor
        return tuple(
            None if group is None else [None if a is None else convert(a) for a in group]
            for group in self.arrange(batch)
        )

    def _check_steps(self, done: int) -> None:
        """Tells of an epoch that ended before its steps were done."""
        if self.steps is not None and done < self.steps:
            warnings.warn(
                f"The data ended after {done} batches, and {self.steps} steps were asked for: the "
                "epoch is as long as the data. Ask for fewer steps, or pass data that repeats.",
                stacklevel=2,
            )

    def _where(self) -> Any:
        """The place in the source, where that is wanted and the source can tell it."""

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed run must know to find its place."""
        return {"origin": self.origin}

    def _passed(self, epoch: int) -> int:
        """The number of epochs that the run which this one resumes has had of its source."""
        self.origin = epoch if self.origin is None else self.origin
        passed = 0 if self._begun else epoch - self.origin
        self._begun = True
        return passed

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on as the run that had this state.

        Raises:
            SpecError: It had data of another kind.
        """
        if state.keys() != self.get_state().keys():
            raise SpecError(
                "fit", expected="the data that the run began with",
                given=f"{type(self.source).__name__}",
                fix="pass the same data, or use another folder for the backup",
            )  # fmt: skip
        vars(self).update(state)

    def close_thread(self) -> None:
        """Ends the fetching ahead."""
        if self._prefetch is not None:
            self._prefetch.close()
            self._prefetch = None

    def close(self) -> None:
        """Ends what runs beside the steps."""
        self.close_thread()


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
        self, source: PyDataset, arrange: Arrange, steps: int | None, shuffle: bool, seed: int,
        background: bool,
    ):  # fmt: skip
        workers = source.workers if background else 0
        super().__init__(source, arrange, steps, background=workers > 0)
        self.shuffle, self.seed = shuffle, seed
        self._workers = _workers.Workers(source, workers)
        self._first: Rows | None = None
        if steps is None and source.num_batches is None:
            raise SpecError(
                type(source).__name__, expected="the number of steps in an epoch",
                given="none, and data without an end", fix="pass steps_per_epoch (or steps)",
            )  # fmt: skip

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


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except (TypeError, NotImplementedError):  # it has none, or does not know it
        return None
