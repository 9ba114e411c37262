"""Ops that write into a copy, segments, and ops on whole tensors."""

from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.testing.conformance.case import (
    ALL,
    NUMBERS,
    A,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)

JOIN = {
    None: lambda old, new: new, "add": lambda old, new: old + new, "max": np.maximum,
    "min": np.minimum, "mul": lambda old, new: old * new,
}  # fmt: skip


def scatter_update(x: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    """One row after the other; those out of range are left out."""
    result = x.copy()
    depth = indices.shape[-1]
    updates = np.broadcast_to(updates, (*indices.shape[:-1], *x.shape[depth:])).astype(x.dtype)
    for row in np.ndindex(*indices.shape[:-1]):
        place = tuple(int(i) for i in indices[row])
        if all(-n <= i < n for i, n in zip(place, x.shape, strict=False)):
            result[place] = JOIN[reduction](result[place], updates[row])
    return result


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    return scatter_update(np.zeros(shape, values.dtype), indices, values, "add")


def segment(reduction: str, empty: Any) -> Any:
    def reduce(data: Any, ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
        count = int(ids.max(initial=-1)) + 1 if num_segments is None else num_segments
        rows = np.full((count, *data.shape[1:]), empty(data.dtype), data.dtype)
        ids = np.where(ids < 0, count, ids)
        return scatter_update(rows, ids[:, None], data, reduction)

    return reduce


def lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


SEGMENTS = {
    "segment_sum": segment("add", lambda dtype: 0),
    "segment_prod": segment("mul", lambda dtype: 1),
    "segment_max": segment("max", lowest),
    "segment_min": segment("min", highest),
}


def block(x: Any, start: Any, shape: Any) -> Any:
    """Moved back where it would reach beyond the end."""
    sizes = [n - int(a) if m == -1 else m for a, m, n in zip(start, shape, x.shape, strict=True)]
    start = [min(max(int(a), 0), n - m) for a, m, n in zip(start, sizes, x.shape, strict=True)]
    return x[tuple(slice(a, a + m) for a, m in zip(start, sizes, strict=True))]


def block_update(x: Any, start: Any, updates: Any) -> Any:
    result = x.copy()
    block(result, start, updates.shape)[...] = updates
    return result


def view(x: Any, dtype: Any = None) -> Any:
    return x if dtype is None else x.astype("float32").view(numpy_dtype(dtype))


def cast(x: Any, dtype: str) -> Any:
    return x.astype(dtype)


PLACES = A([[0, -1], [3, 2], [0, 3], [1, 1]], "int32")  # the last but one is out of range
KNOWN = {"numpy": "its tensors have values that are known: a block that is outside is refused"}
ROWS = A([[1], [-1], [9]], "int64")

CASES: list[Case] = [
    case("scatter_update", T("4 3"), PLACES, T("4"), ref=scatter_update, dtypes=ALL),
    case("scatter_update", T("4 3"), PLACES, T("4"), ref=scatter_update,
         reduction=OneOf(["add", "max", "min", "mul"])),
    case("scatter_update", T("4 a"), ROWS, T("3 a"), ref=scatter_update,
         reduction=OneOf([None, "add", "max", "min", "mul"])),
    case("scatter_update", T("3"), A([[0], [2], [0], [-3]], "int32"), T("4", 1, 3),
         ref=scatter_update, reduction=OneOf(["add", "mul"])),
    case("scatter_update", T("3", -3, 3), A([[0], [0], [1]], "int32"), A([0.0, 0.0, 2.0]),
         ref=scatter_update, reduction="mul"),
    case("scatter_update", T("4 3"), A([[[0, 1], [2, 2]]], "int32"), T("1 2"), ref=scatter_update),
    case("scatter_update", T("4 3"), ROWS, T("", dtype="float32"), ref=scatter_update,
         dtypes=("float32", "int32")),
    case("scatter", PLACES, T("4"), (4, 3), ref=scatter, dtypes=NUMBERS),
    case("scatter", A([[0], [2], [0]], "int32"), T("3 2"), (4, 2), ref=scatter),
    *(case(n, T("5 ..."), A([0, 2, 0, -1, 7], "int32"), ref=f, rank=(0, 2),
           num_segments=OneOf([3, 4]), dtypes=(*NUMBERS, "int8"), sorted=False, gradient=False)
      for n, f in SEGMENTS.items()),
    *(case(n, T("5", -2, 2), A([0, 2, 2, 1, 3], "int64"), ref=f, jit=False, unknown=False)
      for n, f in SEGMENTS.items()),
    *(case(n, T("4 a"), A([0, 1, 1, 2], "int32"), 3, ref=f, sorted=True, dtypes=("float32",),
           specials=True)
      for n, f in SEGMENTS.items()),
    case("segment_prod", T("4", -3, 3, make=lambda x: x * [1, 0, 0, 1]),
         A([0, 0, 1, 1], "int32"), 2, ref=SEGMENTS["segment_prod"], dtypes=("float32",)),
    case("slice", T("4 5"), OneOf([(0, 0), (1, 2), [2, 3]]), OneOf([(2, 2), [1, -1], (0, 1)]),
         ref=block, dtypes=ALL, specials=True),
    case("slice", T("4 5"), A([3, -1], "int32"), (2, 3), ref=block, lacks=KNOWN),
    case("slice", T("4 5"), [A(1, "int32"), 2], (2, 3), ref=block),
    case("slice_update", T("4 5"), OneOf([(0, 0), (1, 2), [2, 3]]), T("2 2"), ref=block_update,
         dtypes=ALL, specials=True),
    case("slice_update", T("4 5"), A([3, -1], "int32"), T("2 3"), ref=block_update, lacks=KNOWN),
    case("slice_update", T("4 a"), (1, 0), T("0 a"), ref=block_update),
    case("copy", T("..."), ref=lambda x: x, dtypes=ALL, specials=True),
    case("size", T("..."), ref=np.size, dtypes=ALL, result="int32", gradient=False,
         symbolic=False),  # no class in model files; its inference is in tests/ops/test_core.py
    case("empty_like", T("..."), check=lambda values, x: np.testing.assert_equal(
        values[0].shape, x.shape), dtypes=ALL),
    case("view", T("a 2"), OneOf(["int32"]), ref=view, dtypes=("float32",), result="int32",
         gradient=False),
    case("view", T("a 2"), "int8", ref=view, dtypes=("float32",), result="int8", gradient=False),
    case("view", A([[1, 2, 3, 4]], "int8"), "int32",
         ref=lambda x, dtype: x.view(dtype), dtypes=("int8",), result="int32"),
    case("view", T("..."), ref=view, dtypes=("float32",), gradient=False),
    case("cast", T("..."), OneOf(["float32"]), ref=cast, dtypes=ALL, result="float32",
         gradient=False),
    case("cast", T("..."), "int32", ref=cast, dtypes=ALL, result="int32", gradient=False),
    case("cast", T("..."), "bool", ref=cast, dtypes=ALL, result="bool", gradient=False),
]  # fmt: skip

REFUSALS: list[Refusal] = [
    refusal("scatter_update", A([1, 2]), A([[0]]), A([1]), "sum", match="None, 'add', 'max'"),
    refusal("scatter_update", A([1, 2]), A([[0.0]]), A([1]), match="indices that are integers"),
    refusal("scatter_update", A([1, 2]), A([[0, 0]]), A([1]), match="k from 1 to 1"),
    refusal("scatter_update", A([1, 2]), A(0), A([1]), match="k from 1 to 1"),
    refusal("scatter_update", A([1, 2]), A([[0]]), A([1, 2]), match=r"updates of shape \(1,\)"),
    refusal("scatter", A([[0]]), A([1, 2]), (3,), match=r"updates of shape \(1,\)"),
    *(refusal(n, A([1.0, 2.0]), A([0]), 2, match=r"segment_ids of shape \(n,\)")
      for n in SEGMENTS),
    *(refusal(n, A([1.0, 2.0]), A([0.0, 1.0]), 2, match=f"ops.{n}\n  expected: segment_ids that")
      for n in SEGMENTS),
    refusal("slice", A([1, 2]), (0, 0), (1,), match="a start for each of the 1 axes"),
    refusal("slice", A([1, 2]), (0,), (1, 1), match="a size for each of the 1 axes"),
    refusal("slice", A([1, 2]), (1,), (2,), match="a block inside"),
    refusal("slice", A([1, 2]), (-1,), (1,), match="a block inside"),
    refusal("slice_update", A([1, 2]), (1,), A([1, 2]), match="a block inside"),
    refusal("slice_update", A([1, 2]), (0,), A(1), match="updates of rank 1"),
    refusal("view", A([[1, 2, 3]], "int8"), "int32", match="a last axis whose bytes"),
]  # fmt: skip
