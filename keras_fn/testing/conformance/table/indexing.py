"""Ops that select by index or by order, search and compare."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    NUMBERS,
    A,
    Axis,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)

MOVED = dict(dtypes=ALL, specials=True)


def getitem(x: Any, key: Any) -> Any:
    return x[key]


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """As NumPy, but with indices out of range clipped to the ends."""
    size = x.size if axis is None else x.shape[axis]
    indices = np.asarray(indices)
    indices = np.where(indices < 0, indices + size, indices).clip(0, size - 1)
    return np.take(x, indices, axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        return np.take_along_axis(x.ravel(), indices.ravel(), 0)
    sizes = [1 if i == axis % x.ndim else None for i in range(x.ndim)]
    shape = np.broadcast_shapes(
        *(tuple(n if s is None else s for n, s in zip(v.shape, sizes, strict=True))
          for v in (x, indices))
    )  # fmt: skip
    parts = [np.broadcast_to(v, [v.shape[i] if s else n for i, (n, s) in
             enumerate(zip(shape, sizes, strict=True))]) for v in (x, indices)]  # fmt: skip
    return np.take_along_axis(*parts, axis)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    return np.stack([np.asarray(x == i, "float64") for i in range(num_classes)], axis)


def multi_hot(x: Any, num_classes: int, axis: int = -1) -> Any:
    first, place = int(x.ndim > 1), axis % (x.ndim + 1)
    place -= place > first  # the axis of the integers is reduced away
    return np.stack([np.any(x == i, first) for i in range(num_classes)], place).astype("float64")


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    order = np.argsort(-x.astype("float64"), kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1), order


def check_any_top_k(values: Any, x: Any, k: int, sorted: bool) -> None:
    """The right elements, in any order, and the places that they came from."""
    found, places = values
    np.testing.assert_array_equal(np.take_along_axis(x, places, -1), found)
    np.testing.assert_array_equal(np.sort(found), np.sort(x)[..., x.shape[-1] - k :])


def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    score = np.take_along_axis(predictions, targets[:, None], 1)
    return np.sum(predictions > score, 1) < k


def argsort(x: Any, axis: Any = -1) -> Any:
    return np.argsort(x, axis, kind="stable")


def check_partition(values: Any, x: Any, kth: Any, axis: Any = -1) -> None:
    order = values[0]
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    np.testing.assert_array_equal(np.sort(order, axis), np.broadcast_to(
        np.expand_dims(np.arange(x.shape[axis]), [i for i in range(x.ndim) if i != axis % x.ndim]),
        x.shape))  # fmt: skip
    parted = np.moveaxis(np.take_along_axis(x, order, axis), axis, 0)
    for k in (kth,) if isinstance(kth, int) else kth:
        k = k % len(parted)
        assert np.all(parted[:k] <= parted[k]) and np.all(parted[k:] >= parted[k])


def unravel(indices: Any, shape: Any) -> Any:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    total = int(np.prod(sizes))
    indices = np.where(indices < 0, indices + total, indices).clip(0, total - 1)
    return tuple(i.astype(indices.dtype) for i in np.unravel_index(indices, sizes))


def unique(x: Any, size: int | None = None, fill_value: Any = None, sorted: bool = True, **options):
    """NumPy's, filled up or cut to a size."""
    results = np.unique(x, **options)
    results = list(results) if isinstance(results, tuple) else [results]
    if size is None:
        return results
    axis = options.get("axis") or 0
    asked = [k for k in ("return_index", "return_inverse", "return_counts") if options.get(k)]
    index = np.unique(x, return_index=True, axis=options.get("axis"))[1]
    fills = {"return_index": index[0], "return_counts": 0}
    out = [_filled(results[0], size, fill_value or 0, axis)]
    for name, result in zip(asked, results[1:], strict=True):
        out.append(result if name == "return_inverse" else _filled(result, size, fills[name], 0))
    return out


def _filled(x: Any, size: int, fill: Any, axis: int) -> Any:
    x = np.take(x, np.arange(min(size, x.shape[axis])), axis)
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, size - x.shape[axis])
    return np.pad(x, widths, constant_values=fill)


ASKED = dict(return_index=True, return_inverse=True, return_counts=True)
KEYS = (
    0, -1, slice(1, None), (slice(None), slice(None, None, -1)), (Ellipsis, -1),
    (slice(None), None, slice(4, 0, -2), 1), (slice(3, 0, -1), Ellipsis, slice(-2, -4, -1)),
    (0, 1, 2), Ellipsis, (None, Ellipsis, 0), slice(2, 2), (slice(None, 9), slice(-9, None)),
)  # fmt: skip
INDICES = A([[0, -1], [2, 4]], "int32")

CASES: list[Case] = [
    *(case("get_item", T("4 5 3"), key, ref=getitem, unknown=i < 2, **MOVED)
      for i, key in enumerate(KEYS)),
    case("get_item", T("5 a"), A([3, 0, -1], "int32"), ref=getitem),
    case("get_item", T("a b c"), slice(None), ref=getitem),
    case("take", T("5 a"), INDICES, ref=take, axis=0, **MOVED),
    case("take", T("2 5 a"), A([0, -1, 9, 2], "int32"), ref=take, axis=OneOf([1, -2])),
    case("take", T("5 3"), A([0, -15, 14, -99], "int64"), ref=take),
    case("take", T("5 3"), OneOf([2, -1]), ref=take, axis=0),
    case("take_along_axis", T("a 3"), T("a 2", -3, 2, "int32"), ref=take_along_axis, axis=1,
         **MOVED),
    case("take_along_axis", T("3 a"), T("4 1", -3, 2, "int32"), ref=take_along_axis, axis=-2),
    case("take_along_axis", T("2 3"), T("a", -6, 5, "int32"), ref=take_along_axis, axis=None),
    case("one_hot", T("...", -1, 4, "int32"), OneOf([1, 4]), ref=one_hot, dtypes=("float32",),
         result="float32", axis=OneOf([-1, 0])),
    case("one_hot", T("a", -1, 4, "int8"), 3, ref=one_hot, dtypes=("float32",), result="int32",
         dtype="int32"),
    case("multi_hot", T("a", -1, 4, "int32"), 3, ref=multi_hot, dtypes=("float32",),
         result="float32", least=1),
    case("multi_hot", T("a b", -1, 4, "int32"), 3, ref=multi_hot, dtypes=("float32",),
         result="float32", axis=OneOf([-1, 0, 1]), least=1),
    case("multi_hot", T("a b c", -1, 4, "int32"), 3, ref=multi_hot, dtypes=("float32",),
         result="float32", axis=OneOf([-1, 0, 1, 2]), least=1),
    case("isin", T("..."), T("a b"), ref=np.isin, dtypes=("int32", "float32"), result="bool",
         invert=OneOf([True, False]), assume_unique=False, rank=(0, 3)),
    case("digitize", T("...", -9, 9), A([-4.0, 0.0, 0.5, 3.0], "float32"),
         ref=np.digitize, dtypes=("float32",), result="int32", specials=True),
    case("digitize", T("a", -9, 9), A([-4, 0, 3], "int32"), ref=np.digitize, dtypes=("int32",),
         result="int32"),
    case("sort", T("...", -9, 9), ref=np.sort, axis=Axis(none=True), rank=(1, 3), specials=True),
    case("sort", A([3.0, float("nan"), 1.0, float("nan"), float("inf"), -1.0]), ref=np.sort,
         dtypes=FLOATS),
    case("argsort", A([3.0, float("nan"), -0.0, 0.0, float("nan"), float("-inf")]), ref=argsort,
         dtypes=FLOATS, result="int32"),
    case("argsort", T("..."), ref=argsort, dtypes=("int32", "bool"), result="int32",
         axis=Axis(none=True), rank=(1, 3)),
    case("argsort", T("a b", -9, 9), ref=argsort, dtypes=FLOATS, result="int32", specials=True),
    case("top_k", T("... 5", -9, 9), OneOf([1, 3, 5]), ref=top_k, dtypes=("float32",),
         result="same,int32", rank=(0, 2)),
    case("top_k", T("a 5", -3, 3), OneOf([1, 3]), check=check_any_top_k, sorted=False,
         dtypes=NUMBERS, result="same,int32"),
    case("in_top_k", T("a", 0, 4, "int32"), T("a 5", -9, 9), OneOf([1, 3, 5]), ref=in_top_k,
         dtypes=("float32", "int32"), result="bool"),
    case("argpartition", T("a b", -9, 9), 0, check=check_partition, least=1, result="int32"),
    case("argpartition", T("5", -9, 9), OneOf([2, -1, (0, 3)]), check=check_partition,
         result="int32"),
    case("argpartition", T("4 3", -9, 9), OneOf([1, -2]), check=check_partition, result="int32",
         axis=OneOf([0, None, -1])),
    case("nonzero", T("...", -1, 1), ref=np.nonzero, dtypes=("int32", "bool", "float32"),
         result="int32", jit=False, rank=(1, 3), specials=True, gradient=False),
    case("unravel_index", T("...", -7, 7), OneOf([(2, 3), [6], (1, 2, 3), 6]), ref=unravel,
         dtypes=("int32", "int8")),
    case("select", [T("a b", dtype="bool"), T("a b", dtype="bool")], [T("a b"), T("a b")],
         ref=np.select, default=OneOf([0, -1])),
    case("select", [T("a 1", dtype="bool")], [T("b")], 0, ref=np.select),
    case("select", [T("a", dtype="bool")], [T("a", dtype="int32")], 1.5, ref=np.select,
         dtypes=("float32",), result="float32"),
    case("unique", T("a b"), ref=unique, jit=False, gradient=False, dtypes=("int32", "bool")),
    case("unique", T("..."), ref=unique, jit=False, dtypes=("int32",), rank=(0, 3),
         result="same,int32,int32,int32", **ASKED),
    case("unique", T("a 2", -1, 1), ref=unique, axis=0, jit=False, dtypes=("int32",), least=1,
         result="same,int32,int32,int32", **ASKED),
    case("unique", T("2 a 2", -1, 1), ref=unique, axis=1, jit=False, dtypes=("int32",), least=1,
         result="same,int32", return_counts=True),
    case("unique", A([3.0, float("nan"), 1.0, float("nan"), float("inf"), 1.0], "float32"),
         ref=unique, jit=False, dtypes=("float32",), result="same,int32", return_counts=True),
    case("unique", T("a b"), ref=unique, size=OneOf([1, 3, 9]), fill_value=OneOf([None, 7]),
         dtypes=("int32",), least=1, result="same,int32,int32,int32", **ASKED),
    case("unique", T("a 2", -1, 1), ref=unique, axis=0, size=OneOf([1, 6]), dtypes=("int32",),
         least=1, result="same,int32,int32,int32", sorted=False, **ASKED),
]  # fmt: skip

REFUSALS: list[Refusal] = [
    refusal("get_item", A([1, 2]), (0, 0), match="at most 1 indices"),
    refusal("get_item", A([1, 2]), 2, match="an index from -2 to 1"),
    refusal("take", A([1, 2]), A([0]), 1, match="an axis from -1 to 0"),
    refusal("take_along_axis", A([[1, 2]]), A([[0]]), 2, match="an axis from -2 to 1"),
    refusal("one_hot", A([1, 2]), 3, axis=4, match="an axis from -2 to 1"),
    refusal("multi_hot", A([1, 2]), match="num_classes"),
    refusal("multi_hot", A([1, 2]), 3, tokens=1, match="num_classes"),
    refusal("argpartition", A([1, 2]), 2, match="kth from -2 to 1"),
    refusal("argpartition", A([1, 2]), 0, 1, match="an axis from -1 to 0"),
    refusal("nonzero", A(1.0), match="rank 1 or more"),
    refusal("select", [A([True])], [A([1.0]), A([2.0])], match="as many choices as conditions"),
    refusal("unique", A([1, 2]), axis=1, match="an axis from -1 to 0"),
    refusal("unique", A([1, 2]), size=0, match="a size of 1 or more"),
]
