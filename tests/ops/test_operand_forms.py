"""Every op with every form that an operand can have: generated from the conformance table.

A list, a tuple, a NumPy array, a list of arrays, of tensors or of variables, nested lists of tensors
and numbers, a Variable, a NumPy or Python number: each gives what NumPy computes in float64.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.errors import UnsupportedError
from keras_fn.testing.conformance.assertions import assert_close, flatten_results, to_arrays, widen
from keras_fn.testing.conformance.case import ArrayArgument, AxisArgument, Case, OneOf
from keras_fn.testing.conformance.strategies import TENSOR_KINDS, replace_tensors, tensors_of
from keras_fn.testing.conformance.test_ops import CASES, find_op


class Call:
    """The arguments of a case, the same in every run: NumPy arrays for its tensors."""

    def __init__(self, case: Case, dtype: str, rank: int | None = None):
        low, high = case.rank
        rank = min(max(2 if rank is None else rank, low), high)
        sizes = [max(case.min_size, n) for n in (2, 3, 2, 2)][:rank]
        letters: dict[str, int] = {}
        rng = np.random.default_rng(0)

        def size(word: str) -> list[int]:
            if word == "...":
                return sizes
            return [int(word) if word.isdigit() else letters.setdefault(word, max(case.min_size, 3))]

        def draw(spec: Any) -> np.ndarray:
            kind = numpy_dtype(spec.dtype or dtype)
            if isinstance(spec, ArrayArgument):
                return np.asarray(spec.values).astype(kind)
            shape = [n for word in spec.shape.split() for n in size(word)]
            low = max(spec.low, 0) if kind.kind == "u" else spec.low
            x = rng.uniform(low, spec.high, shape)
            if kind.kind in "iu":
                x = rng.integers(int(np.ceil(low)), int(np.floor(spec.high)) + 1, shape)
            elif kind.kind == "b":
                x = x > (low + spec.high) / 2
            return np.asarray(x if spec.transform is None else spec.transform(x)).astype(kind)

        first = tensors_of(list(case.args), TENSOR_KINDS)
        arrays = [draw(spec) for spec in first]
        ndim = arrays[0].ndim if arrays else 0

        def option(x: Any) -> Any:
            if isinstance(x, OneOf):
                return x.values[0]
            return (-1 if ndim else None) if isinstance(x, AxisArgument) else x

        self.case, self.arrays = case, arrays
        values = iter(arrays)
        self.args = [replace_tensors(x, values, TENSOR_KINDS, option) for x in case.args]
        self.options = {name: option(x) for name, x in case.options.items()}

    def run(self, tensors: list[Any]) -> Any:
        values = iter(tensors)
        args = [replace_tensors(x, values) for x in self.args]
        return find_op(self.case.op)(*args, **self.options)

    def expected(self) -> list[np.ndarray]:
        values = map(widen, self.arrays)
        args = [replace_tensors(x, values) for x in self.args]
        assert self.case.reference is not None
        with np.errstate(all="ignore"):
            results = self.case.reference(*args, **self.options)
        return [np.asarray(x) for x in flatten_results(results)]


def to_tensor(x: Any) -> Any:
    return current().convert_to_tensor(x)


def to_tuple(x: Any) -> Any:
    return tuple(map(to_tuple, x)) if isinstance(x, list) else x


def mixed(x: np.ndarray) -> Any:
    """Returns nested lists in which tensors, arrays and numbers alternate."""
    if x.ndim == 0:
        return x.item()
    kinds = (lambda row: to_tensor(row), lambda row: row.tolist(), lambda row: np.asarray(row))
    if x.ndim == 1:
        return [kinds[i % 3](np.asarray(row)) for i, row in enumerate(x)]
    return [mixed(row) if i % 2 == 0 else kinds[i % 3](row) for i, row in enumerate(x)]


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: to_tuple(x.tolist()),
    "array": lambda x: x,
    "list of arrays": list,
    "list of tensors": lambda x: [to_tensor(row) for row in x],
    "list of variables": lambda x: [keras.Variable(row, trainable=False) for row in x],
    "nested tensors and numbers": mixed,
    "variable": lambda x: keras.Variable(x, trainable=False),
}
SCALAR_FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "Python number": lambda x: x.item(),
    "NumPy number": lambda x: x[()],
    "array": lambda x: x,
    "variable": lambda x: keras.Variable(x, trainable=False),
}


def calls(dtypes: Callable[[Case], tuple[str, ...]], rank: int | None = None) -> list[Any]:
    """Returns one call for each op and dtype: of its first case with a reference and a tensor."""
    seen, rows = set(), []
    for i, case in enumerate(CASES):
        if case.reference is None or not tensors_of(list(case.args), TENSOR_KINDS):
            continue
        for dtype in dtypes(case):
            key = (case.op, dtype, len(case.args))
            if key not in seen and current().name not in case.unsupported:
                seen.add(key)
                rows.append(pytest.param(case, dtype, rank, id=f"{case.op}-{dtype}-{i}"))
    return rows


def listable_dtype(case: Case) -> tuple[str, ...]:
    """Returns the first dtype of a case that lists of Python numbers have, too."""
    return tuple(x for x in case.dtypes if x in ("float32", "int32", "bool", "complex64"))[:1]


def check(call: Call, tensors: list[Any], dtype: str, description: str) -> None:
    try:
        results = to_arrays(call.run(tensors))
    except UnsupportedError as gap:
        pytest.skip(gap.reason)
    for actual, expected in zip(results, call.expected(), strict=True):
        assert_close(actual, expected, dtype, max(call.case.tolerance, 1.0), description)


def check_forms(case: Case, dtype: str, rank: int | None) -> None:
    call = Call(case, dtype, rank)
    failures = []
    for i, x in enumerate(call.arrays):
        forms = FORMS if x.ndim else SCALAR_FORMS
        for form, make in forms.items():
            tensors = [to_tensor(array) for array in call.arrays]
            try:
                tensors[i] = make(x)
                check(call, tensors, dtype, form)
            except (AssertionError, Exception) as error:
                failures.append(f"operand {i} as {form}: {type(error).__name__}: {str(error)[:300]}")
    assert not failures, "\n".join(failures)


@pytest.mark.thorough
@pytest.mark.parametrize(("case", "dtype", "rank"), calls(listable_dtype))
def test_every_form_of_an_operand_is_the_same_value(case, dtype, rank):
    check_forms(case, dtype, rank)
