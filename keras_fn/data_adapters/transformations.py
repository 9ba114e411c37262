"""The transformations that a `Dataset` consists of: each computes an element from its index.

An element depends on its index and on the pass through the data alone, not on the elements before
it. So workers compute elements in any order, and a run is resumed without reading what it has seen.
Worker processes import this module.
"""

import copy
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Any

import numpy as np

from keras_fn.core import tree
from keras_fn.data_adapters.shuffle_buffer import shuffle_order
from keras_fn.errors import SpecError


class _Marker:
    """Stands in place of an element."""

    def __init__(self, name: str):
        self.name = name

    def __reduce__(self) -> str:
        return self.name  # there is one, also in another process


SKIPPED = _Marker("SKIPPED")
"""An element that could not be read."""

END = _Marker("END")
"""There is no element: the pass has ended before, since a filter left some out."""

ENDLESS = sys.maxsize
"""The length of endless elements."""


class LoadContext:
    """What an element depends on in addition to its index, and what loading it leaves out.

    Args:
        pass_index: Index of the pass through the data.

    Attributes:
        skipped: Files that could not be read, and why.
    """

    def __init__(self, pass_index: int):
        self.pass_index = pass_index
        self.skipped: dict[str, str] = {}

    def in_pass(self, pass_index: int) -> "LoadContext":
        """Returns the context of an element in another pass, which this one is made of.

        Args:
            pass_index: Index of that pass.
        """
        context = LoadContext(pass_index)
        context.skipped = self.skipped
        return context


class Transformation(ABC):
    """Elements by index.

    Attributes:
        parents: The transformations whose elements this one takes.
        batch_size: If elements are batches, all of this size but the last: the size. Else None.
    """

    parents: "tuple[Transformation, ...]" = ()
    batch_size: int | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of elements; at most so many if it is not `is_sized`."""

    @property
    def num_samples(self) -> int:
        """The number of samples in batches of one size, of which the last may be smaller."""
        return self.parents[0].num_samples

    @property
    def has_equal_batches(self) -> bool:
        """Whether elements are batches of one size, the last one, too."""
        size = self.batch_size
        return size is not None and self.is_sized and not self.num_samples % size

    @property
    def is_sized(self) -> bool:
        """Whether the number of elements is known before they are loaded."""
        return all(parent.is_sized for parent in self.parents)

    @property
    def is_endless(self) -> bool:
        """Whether there are elements without end."""
        return any(parent.is_endless for parent in self.parents)

    def count(self, context: LoadContext) -> int:
        """Returns the number of elements in a pass, and loads what it depends on.

        Args:
            context: Of the pass.
        """
        return len(self) if self.is_sized else self._count(context)

    def _count(self, context: LoadContext) -> int:
        return self.parents[0].count(context)

    @abstractmethod
    def load(self, index: int, context: LoadContext) -> Any:
        """Returns an element, `SKIPPED` or `END`.

        Args:
            index: From 0 to the number of elements.
            context: Of one element of the data set.
        """

    def with_parents(self, parents: "Sequence[Transformation]") -> "Transformation":
        """Returns the same transformation of other elements.

        Args:
            parents: As many elements as those of this one, batched in the same way.
        """
        transformation = copy.copy(self)
        transformation.parents = tuple(parents)
        return transformation


class Source(Transformation):
    """The items of a sequence.

    Args:
        sequence: A sequence, or sequences of one length in tuples and dicts.
    """

    def __init__(self, sequence: Any):
        self.sequence = tree.map_structure(_by_position, sequence, is_leaf=_is_sequence)
        leaves = tree.flatten(self.sequence, is_leaf=_is_sequence)
        is_valid = all(map(_is_sequence, leaves))
        sizes = {len(leaf) for leaf in leaves} if is_valid else set()
        if len(sizes) != 1:
            received = ", ".join(_describe(leaf) for leaf in leaves[:5])
            raise SpecError(
                "Dataset",
                expected="items by index: an array, a list, a data set with a length, or a tuple "
                "or dict of them, of one length",
                received=received or "nothing",
                fix="pass an iterator as a list: Dataset(list(x))",
            )
        self._size = sizes.pop()

    def __len__(self) -> int:
        return self._size

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the item, or a tuple or dict of the items."""
        return tree.map_structure(lambda s: s[index], self.sequence, is_leaf=_is_sequence)


class Derived(Transformation):
    """Base of transformations of the elements of another one.

    Args:
        parent: The other one.
    """

    def __init__(self, parent: Transformation):
        self.parents, self.batch_size = (parent,), parent.batch_size

    @property
    def parent(self) -> Transformation:
        """The transformation whose elements this one takes."""
        return self.parents[0]

    def __len__(self) -> int:
        return len(self.parent)


class Map(Derived):
    """Elements that a function computes; a tuple is passed as several arguments."""

    def __init__(self, parent: Transformation, function: Callable[..., Any]):
        super().__init__(parent)
        self.function = function

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the function of the element."""
        element = self.parent.load(index, context)
        return element if is_missing(element) else call_on(self.function, element)


def is_missing(element: Any) -> bool:
    """Returns whether this stands in place of an element.

    Args:
        element: What `load` returned.
    """
    return isinstance(element, _Marker)


def call_on(function: Callable[..., Any], element: Any) -> Any:
    """Returns a function of an element; the parts of a tuple are several arguments.

    Args:
        function: The function.
        element: The element.
    """
    return function(*element) if isinstance(element, tuple) else function(element)


def load_or_end(transformation: Transformation, index: int, context: LoadContext) -> Any:
    """Returns an element, or `END` for an index beyond the last one.

    Args:
        transformation: The transformation.
        index: Any index from 0.
        context: Of the element.
    """
    return transformation.load(index, context) if index < len(transformation) else END


class ReadFile(Map):
    """Contents of files: the function maps a path, or a path and a label.

    Args:
        parent: Yields paths, or paths and labels.
        function: Reads a file.
        skips: Whether a file that cannot be read is left out, not an error.
    """

    def __init__(self, parent: Transformation, function: Callable[..., Any], skips: bool):
        super().__init__(parent, function)
        self.skips = skips

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns what the function reads.

        Raises:
            SpecError: A file cannot be read. The error names it.
        """
        element = self.parent.load(index, context)
        if is_missing(element):
            return element
        path, *label = element if isinstance(element, tuple) else (element,)
        try:
            return self.function(path, *label)
        except ImportError:  # of the library that decodes files
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if self.skips:
                context.skipped[path] = reason
                return SKIPPED
            raise unreadable_file(path, reason) from error


def unreadable_file(path: str, reason: str) -> SpecError:
    """Returns the error that names a file.

    Args:
        path: Path of the file.
        reason: Why it cannot be read.
    """
    return SpecError(
        f"The file {str(path)!r} cannot be read",
        expected="a file of the format that its name ends with",
        received=reason,
        fix='replace or delete it, or leave out such files: on_error="skip"',
    )


class Shuffle(Derived):
    """Elements in the order of a shuffle buffer.

    Args:
        parent: The elements.
        buffer_size: Size of the buffer.
        seeds: The global seed, and that of the shuffling.
        reshuffle: Whether each pass has its own order.
    """

    def __init__(
        self, parent: Transformation, buffer_size: int, seeds: tuple[int, int], reshuffle: bool
    ):
        super().__init__(parent)
        if not parent.has_equal_batches:
            self.batch_size = None  # the smaller batch need not be the last
        self.buffer_size, self.seeds, self.reshuffle = buffer_size, seeds, reshuffle
        self._orders = Memo(limit=3)  # of the last passes

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the element that a pass yields at this position."""
        order = self._orders.get(
            context.pass_index,
            lambda: shuffle_order(
                self.parent.count(context),
                self.buffer_size,
                self.seeds,
                context.pass_index,
                self.reshuffle,
            ),
        )
        return self.parent.load(int(order[index]), context) if index < len(order) else END

    def with_parents(self, parents: Sequence[Transformation]) -> Transformation:
        """Returns the same transformation of other elements."""
        return Shuffle(parents[0], self.buffer_size, self.seeds, self.reshuffle)


def get_seeds(transformation: Transformation) -> list[tuple[int, int]]:
    """Returns the seeds of all shuffles that a transformation depends on, the last one first.

    Args:
        transformation: The transformation.
    """
    own = [transformation.seeds] if isinstance(transformation, Shuffle) else []
    return own + [seeds for parent in transformation.parents for seeds in get_seeds(parent)]


def set_seeds(transformation: Transformation, seeds: Iterator[Sequence[int]]) -> Transformation:
    """Returns a transformation that shuffles by other seeds.

    Args:
        transformation: The transformation.
        seeds: The result of `get_seeds` of one that was made in the same way.
    """
    if not transformation.parents:
        return transformation
    own = next(seeds) if isinstance(transformation, Shuffle) else None
    changed = transformation.with_parents([set_seeds(p, seeds) for p in transformation.parents])
    if isinstance(changed, Shuffle) and own is not None:
        changed.seeds = (own[0], own[1])
    return changed


class Slice(Derived):
    """Some consecutive elements."""

    def __init__(self, parent: Transformation, start: int, stop: int):
        super().__init__(parent)
        self.start, self.stop = min(start, len(parent)), min(stop, len(parent))

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def num_samples(self) -> int:
        """The number of samples in batches of one size, of which the last may be smaller."""
        assert self.batch_size is not None
        stop = min(self.parent.num_samples, self.stop * self.batch_size)
        return max(stop - self.start * self.batch_size, 0)

    @property
    def is_endless(self) -> bool:
        """Whether there are elements without end."""
        return self.parent.is_endless and self.stop == len(self.parent)

    def _count(self, context: LoadContext) -> int:
        return max(min(self.parent.count(context), self.stop) - self.start, 0)

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the element at the position in the slice."""
        return self.parent.load(self.start + index, context)


class Subset(Derived):
    """Some elements of the first pass.

    Args:
        parent: The elements.
        indices: Which ones, in their order.
    """

    def __init__(self, parent: Transformation, indices: np.ndarray):
        super().__init__(parent)
        self.indices, self.batch_size = indices, None

    def __len__(self) -> int:
        return len(self.indices)

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the element at the position in the subset."""
        return self.parent.load(int(self.indices[index]), context.in_pass(0))


class Batch(Derived):
    """Consecutive elements in one.

    Args:
        parent: The elements.
        batch_size: Number of elements in a batch; the last one may be smaller.
        drop_remainder: Whether a smaller last batch is left out.
        collate: Makes one element of an iterator of elements, at most of a number of them.
    """

    def __init__(
        self,
        parent: Transformation,
        batch_size: int,
        drop_remainder: bool,
        collate: Callable[[Iterator[Any], int], Any],
    ):
        super().__init__(parent)
        self.batch_size, self.drop_remainder, self.collate = batch_size, drop_remainder, collate

    def __len__(self) -> int:
        return self._count_batches(len(self.parent))

    @property
    def num_samples(self) -> int:
        """The number of samples in batches of one size, of which the last may be smaller."""
        assert self.batch_size is not None
        return min(len(self.parent), len(self) * self.batch_size)

    def _count_batches(self, samples: int) -> int:
        assert self.batch_size is not None
        return samples // self.batch_size if self.drop_remainder else -(-samples // self.batch_size)

    def _count(self, context: LoadContext) -> int:
        return self._count_batches(self.parent.count(context))

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns a batch. It is smaller by the elements that are skipped."""
        assert self.batch_size is not None
        start = index * self.batch_size
        indices = range(start, min(start + self.batch_size, len(self.parent)))
        loaded = 0

        def load_elements() -> Iterator[Any]:
            nonlocal loaded
            for i in indices:
                element = self.parent.load(i, context)
                if element is END:
                    return
                loaded += 1
                if element is not SKIPPED:
                    yield element

        batch = self.collate(load_elements(), len(indices))
        is_short = loaded < self.batch_size and self.drop_remainder
        return END if not loaded or is_short else batch


def find_batch(transformation: Transformation) -> Batch | None:
    """Returns what made the batches that a transformation yields; None if it yields samples.

    Args:
        transformation: The transformation.
    """
    if transformation.batch_size is None:
        return None
    while not isinstance(transformation, Batch):
        transformation = transformation.parents[0]
    return transformation


class Unbatch(Derived):
    """The samples in batches."""

    def __init__(self, parent: Transformation):
        super().__init__(parent)
        if parent.batch_size is None:
            raise SpecError(
                "Dataset.unbatch",
                expected="batches of one size, of which the last may be smaller",
                received="elements that `batch` did not make, or that were shuffled later",
                fix="call unbatch before shuffle",
            )
        self.size, self.batch_size = parent.batch_size, None
        self._batches = Memo(limit=4)

    def with_parents(self, parents: Sequence[Transformation]) -> Transformation:
        """Returns the same transformation of other elements."""
        return Unbatch(parents[0])

    def __len__(self) -> int:
        return min(self.parent.num_samples, ENDLESS)

    def _count(self, context: LoadContext) -> int:
        full = max(self.parent.count(context) - 1, 0)
        last = self.parent.load(full, context)
        return full * self.size + (0 if is_missing(last) else len(tree.flatten(last)[0]))

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns a sample of a batch, which is kept for the next ones."""
        number, row = divmod(index, self.size)
        batch = self._load_batch(number, context)
        if is_missing(batch):
            return batch
        if row < len(tree.flatten(batch)[0]):
            return tree.map_structure(lambda leaf: leaf[row], batch)
        # The last batch has fewer rows; others lack those that were skipped.
        is_last = not self.is_sized and self._load_batch(number + 1, context) is END
        return END if is_last else SKIPPED

    def _load_batch(self, number: int, context: LoadContext) -> Any:
        return self._batches.get(
            (context.pass_index, number), lambda: load_or_end(self.parent, number, context)
        )


class Cache(Derived):
    """Elements that stay in memory, in the order of the first pass."""

    def __init__(self, parent: Transformation):
        super().__init__(parent)
        self._elements = Memo()

    def with_parents(self, parents: Sequence[Transformation]) -> Transformation:
        """Returns the same transformation of other elements."""
        return Cache(parents[0])

    def _count(self, context: LoadContext) -> int:
        return self.parent.count(context.in_pass(0))

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the element, which is computed once."""
        first_pass = context.in_pass(0)
        return self._elements.get(index, lambda: self.parent.load(index, first_pass))


class Memo:
    """Remembers what was computed by its key; threads that ask for the same wait for one.

    Args:
        limit: Number of keys to remember; None for all.
    """

    def __init__(self, limit: int | None = None):
        self.limit = limit
        self._futures: dict[Any, Future[Any]] = {}
        self._lock = Lock()

    def __reduce__(self) -> Any:
        return Memo, (self.limit,)

    def get(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Returns what belongs to a key.

        Args:
            key: The key.
            compute: Computes it, if it is not known.
        """
        future = self._futures.get(key)
        if future is not None:
            return future.result()
        with self._lock:
            future = self._futures.get(key)
            is_new = future is None
            if future is None:
                future = self._futures[key] = Future()
                if self.limit is not None and len(self._futures) > self.limit:
                    self._futures.pop(next(iter(self._futures)))
        if is_new:
            try:
                future.set_result(compute())
            except BaseException as error:
                with self._lock:
                    self._futures.pop(key, None)
                future.set_exception(error)
        return future.result()


def _by_position(x: Any) -> Any:
    """Returns a sequence whose items have positions: pandas finds them by labels."""
    return x.to_numpy() if hasattr(x, "iloc") else x


def _is_sequence(x: Any) -> bool:
    return (
        hasattr(x, "__getitem__") and _is_sized(x) and not isinstance(x, (tuple, dict, str, bytes))
    )


def _is_sized(x: Any) -> bool:
    return hasattr(x, "__len__") and getattr(x, "shape", (1,)) != ()


def _describe(leaf: Any) -> str:
    length = f" of {len(leaf)}" if _is_sized(leaf) else ""
    return f"{type(leaf).__name__}{length}"
