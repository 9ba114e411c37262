"""Calls of a case in drawn dtypes: each operand in its own, and some as Python numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.testing.conformance.case import Case, TensorArgument
from keras_fn.testing.conformance.strategies import Call, replace_tensors

_REAL = (
    "float16", "bfloat16", "float32", "float64",
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
)  # fmt: skip
_COMPLEX = ("complex64", "complex128")
_TAKE_NUMBERS = ("dot", "inner", "kron", "outer", "searchsorted")
"""Ops that take numbers although their operands are not elements."""


def dtypes_of(case: Case) -> tuple[str, ...]:
    """Returns the dtypes that a case is tried in: real ones, and complex ones if it names some."""
    return (*_REAL, *_COMPLEX) if {*_COMPLEX}.intersection(case.dtypes) else _REAL


def redraw_dtypes(case: Case, call: Call, rng: np.random.Generator) -> Call:
    """Returns a call with its operands in dtypes drawn from those of the case.

    Args:
        case: The case that the call was drawn from.
        call: A call.
        rng: Generator of the draws.
    """
    names = dtypes_of(case)
    equal = str(rng.choice(names)) if rng.random() < 0.5 else None
    arrays: list[Any] = []
    for array, source in zip(call.tensors, call.sources, strict=True):
        if source.dtype is not None:
            arrays.append(array)
            continue
        name = equal or str(rng.choice(names))
        kind = numpy_dtype(name)
        with np.errstate(all="ignore"):
            arrays.append(_cast_values(array, source, kind))
    values = iter(arrays)
    args = [replace_tensors(x, values) for x in call.args]
    return Call(args, call.options, call.sources)


def _cast_values(array: np.ndarray, source: Any, kind: np.dtype) -> np.ndarray:
    """Returns an operand in another dtype, unless its values must stay what they are."""
    if not isinstance(source, TensorArgument) or source.transform is not None:
        # Such as those of a regular matrix.
        keeps = kind.kind == "c" or (kind.kind in "fV" and array.dtype.kind != "c")
        return array.astype(kind) if keeps else array
    real = array if kind.kind == "c" else np.real(array)
    return np.asarray(np.abs(real) if kind.kind == "u" else real).astype(kind)


def with_numbers(case: Case, call: Call, rng: np.random.Generator) -> Iterator[Call]:
    """Yields the call with one of its operands as a Python number.

    Args:
        case: The case that the call was drawn from.
        call: A call.
        rng: Generator that chooses the number.
    """
    operands = getattr(reduce(getattr, case.op.split("."), ops), "op", None)
    positions = operands.positions if operands is not None else ()
    sources = iter(call.sources)
    kept = {i: next(sources) for i, x in enumerate(call.args) if isinstance(x, np.ndarray)}
    if len(kept) < 2 or len(kept) != len(call.sources):
        return  # a number alone makes no symbolic call, and lists of operands stay as they are
    for i, source in kept.items():
        takes_number = isinstance(source, TensorArgument) and source.shape == "..."
        if i in positions and source.dtype is None and (takes_number or case.op in _TAKE_NUMBERS):
            number = (True, 2, 2.0)[int(rng.integers(3))]
            rest = [other for j, other in kept.items() if j != i]
            yield Call([*call.args[:i], number, *call.args[i + 1 :]], call.options, rest)
