"""Strategies for calls of a case: hypothesis draws shapes and options, NumPy the elements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.testing.conformance.case import (
    ArrayArgument,
    AxisArgument,
    Case,
    OneOf,
    TensorArgument,
)

MAX_SIZE = 4  # the largest size that is drawn
TENSOR_KINDS = (TensorArgument, ArrayArgument)


@dataclass
class Call:
    """Arguments of an op: NumPy arrays for its tensors, plain values for the rest.

    Attributes:
        args: Positional arguments.
        options: Keyword arguments.
        sources: For each of `tensors`, the `TensorArgument` or `ArrayArgument` it was drawn from.
    """

    args: list[Any]
    options: dict[str, Any]
    sources: list[Any]

    @property
    def tensors(self) -> list[np.ndarray]:
        """The arrays among the arguments, in order."""
        return tensors_of(self.args)

    def with_tensors(self, tensors: Iterable[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Returns the arguments and options with the arrays replaced by `tensors`, in order."""
        values = iter(tensors)
        args = [replace_tensors(x, values) for x in self.args]
        return args, dict(self.options)


def calls(
    case: Case, dtype: str, non_finite: bool = False, min_size: int = 0
) -> st.SearchStrategy[Call]:
    """Returns a strategy that draws calls of a case.

    Args:
        case: A case of the table.
        dtype: Dtype of the tensors that have no fixed one.
        non_finite: Whether NaN, infinities and zeros are among the elements.
        min_size: Smallest size, where the case allows a smaller one.

    Returns:
        A hypothesis strategy of `Call`.
    """

    @st.composite
    def strategy(draw: Callable[[Any], Any]) -> Call:
        sizes = _SizeDrawer(draw, case, max(case.min_size, min_size))
        sources: list[Any] = []
        shapes: list[tuple[int, ...]] = []
        for spec in tensors_of(list(case.args), TENSOR_KINDS):
            sources.append(spec)
            is_drawn = isinstance(spec, TensorArgument)
            shapes.append(sizes.shape(spec.shape) if is_drawn else np.shape(spec.values))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        arrays = iter(
            [
                _draw_array(spec, shape, dtype, rng, non_finite)
                for spec, shape in zip(sources, shapes, strict=True)
            ]
        )
        rank = len(shapes[0]) if shapes else 0
        draw_option = partial(_draw_option, draw=draw, rank=rank)
        args = [replace_tensors(x, arrays, TENSOR_KINDS, draw_option) for x in case.args]
        return Call(args, {k: draw_option(v) for k, v in case.options.items()}, sources)

    return strategy()


class _SizeDrawer:
    """Draws the sizes of one call: a letter stands for the same size everywhere."""

    def __init__(self, draw: Callable[[Any], Any], case: Case, min_size: int):
        self.draw, self.letters = draw, {}
        self.size = st.integers(min_size, max(MAX_SIZE, min_size))
        tensors = tensors_of(list(case.args), (TensorArgument,))
        self.broadcasts = sum(t.shape.startswith("...") for t in tensors) > 1
        rank = draw(st.integers(*case.rank))
        self.leading = [draw(self.size) for _ in range(rank)]

    def shape(self, words: str) -> tuple[int, ...]:
        """Returns the shape that the words of a `TensorArgument` describe."""
        sizes: list[int] = []
        for word in words.split():
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


def _draw_array(
    spec: Any, shape: tuple[int, ...], dtype: str, rng: np.random.Generator, non_finite: bool
) -> np.ndarray:
    kind = numpy_dtype(spec.dtype or dtype)
    if isinstance(spec, ArrayArgument):
        return np.asarray(spec.values).astype(kind)
    if kind.kind == "b":
        array: Any = rng.random(shape) < 0.5
    elif kind.kind in "iu":
        low = max(np.ceil(spec.low), 0) if kind.kind == "u" else np.ceil(spec.low)
        array = rng.integers(int(low), int(np.floor(spec.high)) + 1, shape)
    else:
        array = rng.uniform(spec.low, spec.high, shape)
        if kind.kind == "c":
            array = array + 1j * rng.uniform(spec.low, spec.high, shape)
        elif non_finite:
            specials = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape)
            array = np.where(rng.random(shape) < 0.5, specials, array)
    if spec.transform is not None:
        array = spec.transform(array)
    return np.asarray(array).astype(kind)


def _draw_option(x: Any, draw: Callable[[Any], Any], rank: int) -> Any:
    """Returns the value of an argument that is not a tensor."""
    if isinstance(x, OneOf):
        return draw(st.sampled_from(list(x.values)))
    if not isinstance(x, AxisArgument):
        return x
    axis = st.integers(-rank, rank - 1)
    choices: list[st.SearchStrategy[Any]] = [axis] if rank else []
    if x.allow_none or not rank:
        choices.append(st.none())
    if x.allow_multiple and rank:
        axes = st.lists(st.integers(0, rank - 1), unique=True, min_size=1, max_size=rank)
        choices.append(axes.map(tuple))
    return draw(st.one_of(*choices))


def tensors_of(x: Any, kinds: tuple[type, ...] = (np.ndarray,)) -> list[Any]:
    """Returns the instances of `kinds` among arguments, including those in lists and tuples."""
    if isinstance(x, kinds):
        return [x]
    if type(x) in (list, tuple):
        return [leaf for item in x for leaf in tensors_of(item, kinds)]
    return []


def replace_tensors(
    x: Any,
    values: Iterator[Any],
    kinds: tuple[type, ...] = (np.ndarray,),
    map_option: Callable[[Any], Any] = lambda x: x,
) -> Any:
    """Returns an argument with its tensors replaced.

    Args:
        x: An argument: a tensor, a plain value, or a list or tuple of them.
        values: Replacements, one for each tensor.
        kinds: Classes that count as tensors.
        map_option: Applied to everything else.
    """
    if isinstance(x, kinds):
        return next(values)
    if type(x) in (list, tuple):
        return type(x)(replace_tensors(item, values, kinds, map_option) for item in x)
    return map_option(x)
