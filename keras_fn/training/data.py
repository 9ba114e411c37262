"""Batches: from arrays that are put on the device once, and from anything that yields batches."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import settings

Rows = tuple[list[Any], list[Any] | None, list[Any] | None]
"""Inputs, targets and sample weights, each flat and in the order of the model's own."""


class ArrayBatches:
    """Batches cut from arrays.

    Args:
        rows: Arrays of one first size.
        batch_size: Samples in a batch.
        shuffle: Whether each epoch has an order of its own.
        seed: Where the orders come from: the same on every backend.
    """

    def __init__(self, rows: Rows, batch_size: int, shuffle: bool, seed: int):
        self.rows = rows
        self.size = len(rows[0][0])
        self.batch_size, self.shuffle, self.seed = min(batch_size, self.size), shuffle, seed
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
                "fit", expected=f"the data that the run began with: {state}", given=f"{ours}",
                fix="pass the same arrays and batch size, or use another folder for the backup",
            )  # fmt: skip
        self.seed = state["seed"]

    @property
    def tensors(self) -> Any:
        """The arrays on the device, as `(x, y, sample_weight)`."""
        if self._tensors is None:
            backend = current()

            def device(a: Any) -> Any:
                return backend.borrow(a) if isinstance(a, np.ndarray) else a

            self._tensors = tuple(
                None if group is None else [None if a is None else device(a) for a in group]
                for group in self.rows
            )
        return self._tensors

    def _order(self, turn: int) -> np.ndarray:
        """The samples in the order of one turn through them all."""
        order = np.arange(self.size, dtype=np.int32)
        if self.shuffle:
            # Keyed by the turn: a run that resumes in the middle finds the same order.
            generator = np.random.Generator(np.random.Philox(key=[self.seed, turn]))
            order = generator.permutation(order)
        return order

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
        tensors = self.tensors
        for run in self.runs(epoch, start):
            for indices in current().batch_indices(run, self.batch_size):
                yield tensors, indices


class IterableBatches:
    """Batches that something yields: a generator, a DataLoader, a Dataset, a PyDataset.

    Args:
        source: What yields `x`, `(x, y)` or `(x, y, sample_weight)`.
        arrange: Turns each into rows.
        steps: Batches in an epoch, for sources without an end.
    """

    def __init__(self, source: Any, arrange: Callable[[Any], Rows], steps: int | None):
        self.source, self.arrange, self.steps = source, arrange, steps
        self._iterator: Iterator[Any] | None = None
        self._first: Any = None

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed run must know: nothing, as it goes through the source anew."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes what `get_state` gave."""

    def __len__(self) -> int:
        return self.steps or _length(self.source) or 0

    def peek(self) -> Rows:
        """Returns the first batch, which the next epoch will yield too."""
        if self._first is None:
            self._iterator = iter(self.source)
            try:
                self._first = next(self._iterator)
            except StopIteration:
                raise ValueError("The data yields no batch.") from None
        return self.arrange(self._first)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yields `(tensors, None)` for each batch, from batch `start` on."""
        del epoch
        convert = current().convert_to_tensor
        done = 0
        for batch in self._batches():
            if done < start:
                done += 1
                continue
            rows = self.arrange(batch)
            converted = tuple(
                None if g is None else [None if a is None else convert(a) for a in g] for g in rows
            )
            yield converted, None
            done += 1
            if self.steps is not None and done == self.steps:
                return
        if not done:
            raise ValueError(
                "The data has run out: it yields no batch for this epoch.\n"
                "  fix: pass something that can be gone through again, or a generator without end "
                "and the number of steps"
            )
        if self.steps is not None:
            self._iterator = None

    def _batches(self) -> Iterator[Any]:
        first, self._first = self._first, None
        if self._iterator is None or (first is None and self.steps is None):
            self._iterator = iter(self.source)
        if first is not None:
            yield first
        # `yield from` would close a generator that the next epoch goes on with.
        for batch in self._iterator:  # noqa: UP028
            yield batch


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except TypeError:
        return None


def is_array_like(x: Any) -> bool:
    """Whether `x` is an array, a tensor, a data frame or a nested list of numbers."""
    return hasattr(x, "__array__") or hasattr(x, "dtype") or isinstance(x, (int, float))


def as_array(x: Any, what: str, who: str) -> Any:
    """Returns a host array, or a tensor of the backend as it is.

    Raises:
        DTypeError: Text or objects.
        SpecError: It is a scalar, or ragged.
    """
    if current().is_tensor(x):
        array = x
    else:
        try:
            array = np.asarray(x)
        except ValueError as error:
            raise _misfit(who, what, f"lists of different lengths ({error})") from None
        if array.dtype.kind not in "biufcV":
            raise DTypeError(
                who, expected=f"{what} that are numbers", given=f"an array of {_kind(array)}",
                fix="encode text and categories as numbers, for example with a vocabulary",
            )  # fmt: skip
        if array.dtype == np.float64:
            array = array.astype(settings.floatx)
    if len(array.shape) == 0:
        raise _misfit(who, what, "a single number")
    return array


def _kind(array: np.ndarray) -> str:
    names = {"O": "Python objects", "U": "text", "S": "bytes"}
    return names.get(array.dtype.kind, str(array.dtype))


def _misfit(who: str, what: str, given: str) -> SpecError:
    return SpecError(
        who, expected=f"{what}: arrays whose first axis is the samples", given=given,
        fix="stack the samples into one array",
    )  # fmt: skip


def check_lengths(named: Sequence[tuple[str, Any]], who: str) -> int:
    """Returns the number of samples.

    Raises:
        SpecError: Arrays differ in it, or there are none.
    """
    lengths = {name: array.shape[0] for name, array in named if array is not None}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name}: {n}" for name, n in lengths.items())
        raise SpecError(
            who, expected="arrays with the same number of samples", given=told,
            fix="cut or complete the shorter ones",
        )  # fmt: skip
    size = next(iter(lengths.values()))
    if size == 0:
        raise SpecError(
            who, expected="at least one sample", given="empty arrays",
            fix="check where they come from",
        )  # fmt: skip
    return size


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Returns `(x, y, sample_weight)` of a batch, None for what it has not.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Raises:
        ValueError: A tuple of another length.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3:
        raise ValueError(
            "A batch is x, (x, y) or (x, y, sample_weight); a tuple of "
            f"{len(data)} came. Several inputs go in a list or a dict: ([a, b], y)."
        )
    return (*data, *(None,) * (3 - len(data)))  # type: ignore[return-value]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Returns a batch of these parts.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)
