"""Transformations that leave out, repeat or combine elements: of `filter`, `repeat` and others.

As all others they compute elements by their index: see `transformations`.
"""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.data_adapters.transformations import (
    END,
    ENDLESS,
    SKIPPED,
    Derived,
    LoadContext,
    Memo,
    Transformation,
    call_on,
    load_or_end,
)
from keras_fn.errors import DTypeError


class Filter(Derived):
    """The elements that a predicate accepts.

    Args:
        parent: The elements.
        predicate: Returns True for an element that is kept.
    """

    def __init__(self, parent: Transformation, predicate: Callable[..., Any]):
        super().__init__(parent)
        self.batch_size, self.predicate = None, predicate
        self._searches = Memo(limit=3)  # of the last passes
        self._counts = Memo()

    @property
    def is_sized(self) -> bool:
        """Whether the number of elements is known before they are loaded."""
        return False

    def with_parents(self, parents: Sequence[Transformation]) -> Transformation:
        """Returns the same transformation of other elements."""
        return Filter(parents[0], self.predicate)

    def _count(self, context: LoadContext) -> int:
        return self._counts.get(context.pass_index, lambda: self._search(context).count(context))

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the element at the position among those that are kept."""
        return self._search(context).load(index, context)

    def _search(self, context: LoadContext) -> "_Search":
        return self._searches.get(context.pass_index, lambda: _Search(self.parent, self.predicate))


class _Search:
    """Which elements of a pass a predicate accepts. Elements are looked at in their order, once.

    Args:
        parent: The elements.
        predicate: Returns True for an element that is kept.
    """

    _LIMIT = 128  # elements that were found and are kept until they are asked for

    def __init__(self, parent: Transformation, predicate: Callable[..., Any]):
        self.parent, self.predicate = parent, predicate
        self._lock = Lock()
        self._kept: list[int] = []
        self._next = 0  # the first element that was not looked at
        self._found: dict[int, Any] = {}

    def load(self, number: int, context: LoadContext) -> Any:
        """Returns an element that is kept, or `END`.

        Args:
            number: Its position among them.
            context: Of the element.
        """
        with self._lock:
            while len(self._kept) <= number and self._next < len(self.parent):
                self._look(context)
            if number >= len(self._kept):
                return END
            element = self._found.pop(number, END)
        return self.parent.load(self._kept[number], context) if element is END else element

    def count(self, context: LoadContext) -> int:
        """Returns the number of elements that are kept.

        Args:
            context: Of the pass.
        """
        self.load(len(self.parent), context)
        return len(self._kept)

    def _look(self, context: LoadContext) -> None:
        element = self.parent.load(self._next, context)
        if element is END:
            self._next = len(self.parent)
            return
        if element is not SKIPPED and _to_bool(call_on(self.predicate, element)):
            self._found[len(self._kept)] = element
            self._kept.append(self._next)
            if len(self._found) > self._LIMIT:
                self._found.pop(next(iter(self._found)))
        self._next += 1


def _to_bool(result: Any) -> bool:
    """Returns what a predicate answered."""
    if isinstance(result, (bool, np.bool_)):
        return bool(result)
    array = current().convert_to_numpy(result) if current().is_tensor(result) else result
    if not isinstance(array, np.ndarray) or array.shape or array.dtype != bool:
        raise DTypeError(
            "Dataset.filter",
            expected="a predicate that returns True or False for an element",
            received=f"{result!r:.100}",
            fix="for example filter(lambda x, y: y == 1) for single samples, before batch",
        )
    return bool(array)


class Repeat(Derived):
    """The elements of several passes.

    Args:
        parent: The elements.
        times: The number of passes; None for no end.
    """

    def __init__(self, parent: Transformation, times: int | None):
        super().__init__(parent)
        if not parent.has_equal_batches:
            self.batch_size = None  # a smaller batch ends each pass
        # The passes of an endless one never get to those of its next pass.
        self.times, self._stride = times, 2**32 if times is None else times
        self._ends = Memo(limit=3)  # of the last passes: where each of their inner passes ends

    def with_parents(self, parents: Sequence[Transformation]) -> Transformation:
        """Returns the same transformation of other elements."""
        return Repeat(parents[0], self.times)

    def __len__(self) -> int:
        return min(len(self.parent) * (ENDLESS if self.times is None else self.times), ENDLESS)

    @property
    def num_samples(self) -> int:
        """The number of samples in batches of one size, of which the last may be smaller."""
        assert self.batch_size is not None
        return len(self) * self.batch_size

    @property
    def is_endless(self) -> bool:
        """Whether there are elements without end."""
        return len(self.parent) > 0 and (self.times is None or self.parent.is_endless)

    def _in_pass(self, number: int, context: LoadContext) -> LoadContext:
        return context.in_pass(context.pass_index * self._stride + number)

    def _count(self, context: LoadContext) -> int:
        if self.times is None:
            return ENDLESS if self.parent.count(self._in_pass(0, context)) else 0
        return sum(self.parent.count(self._in_pass(i, context)) for i in range(self.times))

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the element at the position in all passes."""
        if self.parent.is_sized:
            number, index = divmod(index, len(self.parent))
            return self.parent.load(index, self._in_pass(number, context))
        ends: list[int] = self._ends.get(context.pass_index, list)
        known = bisect_right(ends, index)
        start = ends[known - 1] if known else 0
        for number in itertools.count(known) if self.times is None else range(known, self.times):
            inner = self._in_pass(number, context)
            element = load_or_end(self.parent, index - start, inner)
            if element is not END:
                return element
            count = self.parent.count(inner)
            if not count and self.times is None:
                return END
            start += count
            ends[number:] = [start]  # workers write the same
        return END


class Concatenate(Transformation):
    """The elements of one transformation, then those of another one."""

    def __init__(self, first: Transformation, second: Transformation):
        self.parents = (first, second)
        if first.batch_size == second.batch_size and first.has_equal_batches:
            self.batch_size = first.batch_size

    def __len__(self) -> int:
        return min(sum(map(len, self.parents)), ENDLESS)

    @property
    def num_samples(self) -> int:
        """The number of samples in batches of one size, of which the last may be smaller."""
        return sum(parent.num_samples for parent in self.parents)

    def _count(self, context: LoadContext) -> int:
        return sum(parent.count(context) for parent in self.parents)

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns the element at the position in both."""
        first, second = self.parents
        element = load_or_end(first, index, context)
        if element is not END:
            return element
        return load_or_end(second, index - first.count(context), context)


class Zip(Transformation):
    """The elements of several transformations at one position, until one ends.

    Args:
        structure: The transformations, in tuples and dicts.
    """

    def __init__(self, structure: Any):
        self.structure, self.parents = structure, tuple(tree.flatten(structure))

    def __len__(self) -> int:
        return min(map(len, self.parents))

    @property
    def is_endless(self) -> bool:
        """Whether there are elements without end."""
        return all(parent.is_endless for parent in self.parents)

    def _count(self, context: LoadContext) -> int:
        return min(parent.count(context) for parent in self.parents if not parent.is_endless)

    def load(self, index: int, context: LoadContext) -> Any:
        """Returns a tuple or dict of elements. They are skipped together."""
        elements = [parent.load(index, context) for parent in self.parents]
        for marker in (END, SKIPPED):
            if any(element is marker for element in elements):
                return marker
        return tree.unflatten(self.structure, elements)
