"""Calls drawn from a case of the table: shapes and options by hypothesis, elements by NumPy."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.testing.conformance.case import A, Axis, Case, OneOf, T

MOST = 4  # the largest size that is drawn


@dataclass
class Call:
    """Arguments of an op: NumPy arrays where the case has tensors, plain values elsewhere."""

    args: list[Any]
    options: dict[str, Any]
    places: list[Any]  # for each of `tensors`, the `T` or `A` that it was drawn from

    @property
    def tensors(self) -> list[np.ndarray]:
        """The arrays, in order."""
        return tensors_of(self.args)

    def with_tensors(self, tensors: Any) -> "tuple[list[Any], dict[str, Any]]":
        """Returns arguments and options with other tensors in the place of the arrays."""
        rest = iter(tensors)
        args = [replaced(x, rest) for x in self.args]
        return args, dict(self.options)


def calls(case: Case, dtype: str, special: bool = False, least: int = 0) -> st.SearchStrategy[Call]:
    """Returns a strategy for calls of a case in a dtype.

    Args:
        case: A case of the table.
        dtype: What the tensors without a dtype of their own are drawn in.
        special: Whether NaN, infinities and zeros stand among the elements.
        least: Smallest size, where the case allows a smaller one.
    """

    @st.composite
    def strategy(draw: Callable[[Any], Any]) -> Call:
        sizes = _Sizes(draw, case, max(case.least, least))
        places: list[Any] = []
        shapes: list[tuple[int, ...]] = []
        for spec in tensors_of(list(case.args), (T, A)):
            places.append(spec)
            shapes.append(sizes.of(spec.shape) if isinstance(spec, T) else np.shape(spec.values))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        arrays = iter(
            [_array(s, shape, dtype, rng, special) for s, shape in zip(places, shapes, strict=True)]
        )
        rank = len(shapes[0]) if shapes else 0
        plain = partial(_plain, draw=draw, rank=rank)
        args = [replaced(x, arrays, (T, A), plain) for x in case.args]
        return Call(args, {k: plain(v) for k, v in case.options.items()}, places)

    return strategy()


class _Sizes:
    """The sizes of one call: a letter is the same everywhere."""

    def __init__(self, draw: Callable[[Any], Any], case: Case, least: int):
        self.draw, self.letters = draw, {}
        self.size = st.integers(least, max(MOST, least))
        several = [t for t in tensors_of(list(case.args), (T,)) if t.shape.startswith("...")]
        self.broadcasts = len(several) > 1
        rank = draw(st.integers(*case.rank))
        self.leading = [draw(self.size) for _ in range(rank)]

    def of(self, shape: str) -> tuple[int, ...]:
        """Returns a shape for these words."""
        sizes: list[int] = []
        for word in shape.split():
            if word == "...":
                sizes += self._broadcastable()
            elif word.isdigit():
                sizes.append(int(word))
            else:
                if word not in self.letters:
                    self.letters[word] = self.draw(self.size)
                sizes.append(self.letters[word])
        return tuple(sizes)

    def _broadcastable(self) -> list[int]:
        if not self.broadcasts:
            return self.leading
        missing = self.draw(st.integers(0, len(self.leading)))
        return [1 if self.draw(st.integers(0, 3)) == 0 else n for n in self.leading[missing:]]


def _array(spec: Any, shape: tuple[int, ...], dtype: str, rng: Any, special: bool) -> np.ndarray:
    kind = numpy_dtype(spec.dtype or dtype)
    if isinstance(spec, A):
        return np.asarray(spec.values).astype(kind)
    if kind.kind == "b":
        array = rng.random(shape) < 0.5
    elif kind.kind in "iu":
        low = max(np.ceil(spec.low), 0) if kind.kind == "u" else np.ceil(spec.low)
        array = rng.integers(int(low), int(np.floor(spec.high)) + 1, shape)
    else:
        array = rng.uniform(spec.low, spec.high, shape)
        if kind.kind == "c":
            array = array + 1j * rng.uniform(spec.low, spec.high, shape)
        elif special:
            odd = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape)
            array = np.where(rng.random(shape) < 0.5, odd, array)
    if spec.make is not None:
        array = spec.make(array)
    return np.asarray(array).astype(kind)


def _plain(x: Any, draw: Callable[[Any], Any], rank: int) -> Any:
    """The value of an argument that is no tensor."""
    if isinstance(x, OneOf):
        return draw(st.sampled_from(list(x.values)))
    if not isinstance(x, Axis):
        return x
    axis = st.integers(-rank, rank - 1)
    choices = [axis] if rank else []
    if x.none or not rank:
        choices.append(st.none())
    if x.several and rank:
        axes = st.lists(st.integers(0, rank - 1), unique=True, min_size=1, max_size=rank)
        choices.append(axes.map(tuple))
    return draw(st.one_of(*choices))


def tensors_of(x: Any, kinds: tuple[type, ...] = (np.ndarray,)) -> list[Any]:
    """Returns what is of `kinds` among arguments, those in lists and tuples too."""
    if isinstance(x, kinds):
        return [x]
    if type(x) in (list, tuple):
        return [leaf for item in x for leaf in tensors_of(item, kinds)]
    return []


def replaced(
    x: Any, values: Any, kinds: tuple[type, ...] = (np.ndarray,), plain: Any = lambda x: x
) -> Any:
    """Returns an argument with the next of `values` for each tensor, and `plain` of the rest."""
    if isinstance(x, kinds):
        return next(values)
    if type(x) in (list, tuple):
        return type(x)(replaced(item, values, kinds, plain) for item in x)
    return plain(x)
