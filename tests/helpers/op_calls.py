"""Calls of ops from the conformance table, the same in every run, as NumPy arrays and options."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keras_fn.backend.loader import current
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.testing.conformance.assertions import flatten_results, widen
from keras_fn.testing.conformance.case import ArrayArgument, AxisArgument, Case, OneOf
from keras_fn.testing.conformance.strategies import TENSOR_KINDS, replace_tensors, tensors_of
from keras_fn.testing.conformance.test_ops import CASES, find_op


def to_tensor(x: Any) -> Any:
    return current().convert_to_tensor(x)


def first_cases(condition: Callable[[Case], bool]) -> list[Any]:
    """Returns the first case of each op, and number of arguments, that meets a condition."""
    found: dict[tuple[str, int], Any] = {}
    for i, case in enumerate(CASES):
        is_usable = case.reference is not None and tensors_of(list(case.args), TENSOR_KINDS)
        if is_usable and current().name not in case.unsupported and condition(case):
            row = pytest.param(case, id=f"{case.op}-{i}")
            found.setdefault((case.op, len(case.args)), row)
    return list(found.values())


class Call:
    """The arguments of a case: NumPy arrays for its tensors.

    Args:
        case: A case of the table.
        dtype: The dtype of the tensors that have no fixed one.
        size: The size of the axes that the case leaves open; different ones by default.
        positive: Whether all elements are positive where the case allows negative ones.
    """

    def __init__(self, case: Case, dtype: str, size: int | None = None, positive: bool = False):
        self.case, self.dtype, self.positive = case, dtype, positive
        self.rng = np.random.default_rng(0)
        low, high = case.rank
        sizes = (2, 3, 2, 2) if size is None else (size,) * 4
        self.leading = [max(case.min_size, n) for n in sizes][: min(max(2, low), high)]
        self.letter = max(case.min_size, 3 if size is None else size)
        specs = tensors_of(list(case.args), TENSOR_KINDS)
        self.arrays = [self._draw(spec) for spec in specs]
        values = iter(self.arrays)
        self.args = [replace_tensors(x, values, TENSOR_KINDS, self._option) for x in case.args]
        self.options = {name: self._option(x) for name, x in case.options.items()}

    def run(self, tensors: list[Any]) -> Any:
        """Calls the op on tensors in place of the arrays."""
        values = iter(tensors)
        args = [replace_tensors(x, values) for x in self.args]
        return find_op(self.case.op)(*args, **self.options)

    def expected(self) -> list[np.ndarray]:
        """Returns the results of the NumPy reference, in 64 bits."""
        values = iter([_wide(x) for x in self.arrays])
        args = [replace_tensors(x, values) for x in self.args]
        assert self.case.reference is not None
        with np.errstate(all="ignore"):
            results = self.case.reference(*args, **self.options)
        return [np.asarray(x) for x in flatten_results(results)]

    def _draw(self, spec: Any) -> np.ndarray:
        kind = numpy_dtype(spec.dtype or self.dtype)
        if isinstance(spec, ArrayArgument):
            return np.asarray(spec.values).astype(kind)
        shape = [n for word in spec.shape.split() for n in self._sizes(word)]
        low, high = spec.low, spec.high
        if kind.kind == "u" or (self.positive and high > 0):
            low, high = max(low, 0), max(high, 1)
        x: Any = self.rng.uniform(low, high, shape)
        if kind.kind in "iu":
            x = np.round(x)
        elif kind.kind == "b":
            x = x > (low + high) / 2
        return np.asarray(x if spec.transform is None else spec.transform(x)).astype(kind)

    def _sizes(self, word: str) -> list[int]:
        if word == "...":
            return self.leading
        return [int(word) if word.isdigit() else self.letter]

    def _option(self, x: Any) -> Any:
        if isinstance(x, OneOf):
            return x.values[0]
        if isinstance(x, AxisArgument):
            return -1 if self.arrays and self.arrays[0].ndim else None
        return x


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype("int64") if x.dtype.kind in "iu" else widen(x)
