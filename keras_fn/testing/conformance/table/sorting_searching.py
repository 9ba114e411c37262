"""Cases of sorting and searching."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    FLOATS,
    NUMBERS,
    AxisArgument,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)


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
    np.testing.assert_array_equal(
        np.sort(order, axis),
        np.broadcast_to(
            np.expand_dims(
                np.arange(x.shape[axis]), [i for i in range(x.ndim) if i != axis % x.ndim]
            ),
            x.shape,
        ),
    )
    parted = np.moveaxis(np.take_along_axis(x, order, axis), axis, 0)
    for k in (kth,) if isinstance(kth, int) else kth:
        k = k % len(parted)
        assert np.all(parted[:k] <= parted[k]) and np.all(parted[k:] >= parted[k])


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

KEEP = OneOf([False, True])

SIDES = OneOf(["left", "right"])


def isin(x1, x2, assume_unique, invert):
    """What is drawn may come twice, and the hint must change nothing."""
    return np.isin(x1, x2, invert=invert)


def rising(x):
    return np.sort(x, axis=None)


LINE = array([1.0, 2.0, 4.0])

SQUARE = array([[1.0, 2.0], [3.0, 4.0]])

CASES: list[Case] = [
    case(
        "isin",
        tensor("..."),
        tensor("a b"),
        ref=np.isin,
        dtypes=("int32", "float32"),
        result_dtype="bool",
        invert=OneOf([True, False]),
        assume_unique=False,
        rank=(0, 3),
    ),
    case(
        "digitize",
        tensor("...", -9, 9),
        array([-4.0, 0.0, 0.5, 3.0], "float32"),
        ref=np.digitize,
        dtypes=("float32",),
        result_dtype="int32",
        non_finite=True,
    ),
    case(
        "digitize",
        tensor("a", -9, 9),
        array([-4, 0, 3], "int32"),
        ref=np.digitize,
        dtypes=("int32",),
        result_dtype="int32",
    ),
    case(
        "sort",
        tensor("...", -9, 9),
        ref=np.sort,
        axis=AxisArgument(allow_none=True),
        rank=(1, 3),
        non_finite=True,
    ),
    case(
        "sort",
        array([3.0, float("nan"), 1.0, float("nan"), float("inf"), -1.0]),
        ref=np.sort,
        dtypes=FLOATS,
    ),
    case(
        "argsort",
        array([3.0, float("nan"), -0.0, 0.0, float("nan"), float("-inf")]),
        ref=argsort,
        dtypes=FLOATS,
        result_dtype="int32",
    ),
    case(
        "argsort",
        tensor("..."),
        ref=argsort,
        dtypes=("int32", "bool"),
        result_dtype="int32",
        axis=AxisArgument(allow_none=True),
        rank=(1, 3),
    ),
    case(
        "argsort",
        tensor("a b", -9, 9),
        ref=argsort,
        dtypes=FLOATS,
        result_dtype="int32",
        non_finite=True,
    ),
    case(
        "top_k",
        tensor("... 5", -9, 9),
        OneOf([1, 3, 5]),
        ref=top_k,
        dtypes=("float32",),
        result_dtype="same,int32",
        rank=(0, 2),
    ),
    case(
        "top_k",
        tensor("a 5", -3, 3),
        OneOf([1, 3]),
        check=check_any_top_k,
        sorted=False,
        dtypes=NUMBERS,
        result_dtype="same,int32",
    ),
    case(
        "in_top_k",
        tensor("a", 0, 4, "int32"),
        tensor("a 5", -9, 9),
        OneOf([1, 3, 5]),
        ref=in_top_k,
        dtypes=("float32", "int32"),
        result_dtype="bool",
    ),
    case(
        "argpartition",
        tensor("a b", -9, 9),
        0,
        check=check_partition,
        min_size=1,
        result_dtype="int32",
    ),
    case(
        "argpartition",
        tensor("5", -9, 9),
        OneOf([2, -1, (0, 3)]),
        check=check_partition,
        result_dtype="int32",
    ),
    case(
        "argpartition",
        tensor("4 3", -9, 9),
        OneOf([1, -2]),
        check=check_partition,
        result_dtype="int32",
        axis=OneOf([0, None, -1]),
    ),
    case(
        "nonzero",
        tensor("...", -1, 1),
        ref=np.nonzero,
        dtypes=("int32", "bool", "float32"),
        result_dtype="int32",
        jit=False,
        rank=(1, 3),
        non_finite=True,
        gradient=False,
    ),
    case("unique", tensor("a b"), ref=unique, jit=False, gradient=False, dtypes=("int32", "bool")),
    case(
        "unique",
        tensor("..."),
        ref=unique,
        jit=False,
        dtypes=("int32",),
        rank=(0, 3),
        result_dtype="same,int32,int32,int32",
        **ASKED,
    ),
    case(
        "unique",
        tensor("a 2", -1, 1),
        ref=unique,
        axis=0,
        jit=False,
        dtypes=("int32",),
        min_size=1,
        result_dtype="same,int32,int32,int32",
        **ASKED,
    ),
    case(
        "unique",
        tensor("2 a 2", -1, 1),
        ref=unique,
        axis=1,
        jit=False,
        dtypes=("int32",),
        min_size=1,
        result_dtype="same,int32",
        return_counts=True,
    ),
    case(
        "unique",
        array([3.0, float("nan"), 1.0, float("nan"), float("inf"), 1.0], "float32"),
        ref=unique,
        jit=False,
        dtypes=("float32",),
        result_dtype="same,int32",
        return_counts=True,
    ),
    case(
        "unique",
        tensor("a b"),
        ref=unique,
        size=OneOf([1, 3, 9]),
        fill_value=OneOf([None, 7]),
        dtypes=("int32",),
        min_size=1,
        result_dtype="same,int32,int32,int32",
        **ASKED,
    ),
    case(
        "unique",
        tensor("a 2", -1, 1),
        ref=unique,
        axis=0,
        size=OneOf([1, 6]),
        dtypes=("int32",),
        min_size=1,
        result_dtype="same,int32,int32,int32",
        sorted=False,
        **ASKED,
    ),
    case(
        "searchsorted",
        tensor("n", transform=rising),
        tensor(),
        ref=np.searchsorted,
        result_dtype="int32",
        side=SIDES,
        dtypes=(*NUMBERS, "int8", "float64"),
        gradient=False,
    ),
    case(
        "searchsorted",
        array([1.0, 2.0, 2.0, 3.0]),
        tensor("m n", low=1, high=3),
        ref=np.searchsorted,
        result_dtype="int32",
        side=SIDES,
        gradient=False,
    ),
    case(
        "searchsorted",
        array([1.0, 2.0]),
        array([np.nan, np.inf, -np.inf, 2.0]),
        ref=np.searchsorted,
        result_dtype="int32",
        side=SIDES,
        dtypes=("float32",),
    ),
    case(
        "searchsorted",
        array([False, True]),
        tensor("n"),
        ref=np.searchsorted,
        result_dtype="int32",
        side=SIDES,
        dtypes=("bool",),
    ),
    case(
        "searchsorted",
        array([1, 3], "int32"),
        tensor("n"),
        ref=np.searchsorted,
        result_dtype="int32",
        side=SIDES,
        dtypes=("float32",),
        gradient=False,
    ),
    case(
        "isin",
        tensor("m n"),
        tensor("k"),
        ref=isin,
        result_dtype="bool",
        assume_unique=KEEP,
        invert=KEEP,
        dtypes=(*NUMBERS, "bool"),
    ),
    case(
        "isin",
        array([1.0, np.nan, np.inf]),
        array([[np.nan, np.inf]]),
        ref=np.isin,
        result_dtype="bool",
        invert=KEEP,
        dtypes=FLOATS,
    ),
]

REFUSALS: list[Refusal] = [
    refusal("argpartition", array([1, 2]), 2, match="kth from -2 to 1"),
    refusal("argpartition", array([1, 2]), 0, 1, match="an axis from -1 to 0"),
    refusal("nonzero", array(1.0), match="rank 1 or more"),
    refusal("unique", array([1, 2]), axis=1, match="an axis from -1 to 0"),
    refusal("unique", array([1, 2]), size=0, match="a size of 1 or more"),
    refusal("searchsorted", SQUARE, LINE, match="ops.searchsorted\n  expected: a sorted sequence"),
    refusal("searchsorted", LINE, LINE, side="middle", match="ops.searchsorted\n  expected: side="),
]
