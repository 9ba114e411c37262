"""Cases of indexing."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

MOVED = dict(dtypes=ALL, non_finite=True)


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
        *(
            tuple(n if s is None else s for n, s in zip(v.shape, sizes, strict=True))
            for v in (x, indices)
        )
    )
    parts = [
        np.broadcast_to(
            v, [v.shape[i] if s else n for i, (n, s) in enumerate(zip(shape, sizes, strict=True))]
        )
        for v in (x, indices)
    ]
    return np.take_along_axis(*parts, axis)


def unravel(indices: Any, shape: Any) -> Any:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    total = int(np.prod(sizes))
    indices = np.where(indices < 0, indices + total, indices).clip(0, total - 1)
    return tuple(i.astype(indices.dtype) for i in np.unravel_index(indices, sizes))


KEYS = (
    0,
    -1,
    slice(1, None),
    (slice(None), slice(None, None, -1)),
    (Ellipsis, -1),
    (slice(None), None, slice(4, 0, -2), 1),
    (slice(3, 0, -1), Ellipsis, slice(-2, -4, -1)),
    (0, 1, 2),
    Ellipsis,
    (None, Ellipsis, 0),
    slice(2, 2),
    (slice(None, 9), slice(-9, None)),
)

INDICES = array([[0, -1], [2, 4]], "int32")

CASES: list[Case] = [
    *(
        case("get_item", tensor("4 5 3"), key, ref=getitem, dynamic_shapes=i < 2, **MOVED)
        for i, key in enumerate(KEYS)
    ),
    case("get_item", tensor("5 a"), array([3, 0, -1], "int32"), ref=getitem),
    case("get_item", tensor("a b c"), slice(None), ref=getitem),
    case("take", tensor("5 a"), INDICES, ref=take, axis=0, **MOVED),
    case("take", tensor("2 5 a"), array([0, -1, 9, 2], "int32"), ref=take, axis=OneOf([1, -2])),
    case("take", tensor("5 3"), array([0, -15, 14, -99], "int64"), ref=take),
    case("take", tensor("5 3"), OneOf([2, -1]), ref=take, axis=0),
    case(
        "take_along_axis",
        tensor("a 3"),
        tensor("a 2", -3, 2, "int32"),
        ref=take_along_axis,
        axis=1,
        **MOVED,
    ),
    case(
        "take_along_axis",
        tensor("3 a"),
        tensor("4 1", -3, 2, "int32"),
        ref=take_along_axis,
        axis=-2,
    ),
    case(
        "take_along_axis",
        tensor("2 3"),
        tensor("a", -6, 5, "int32"),
        ref=take_along_axis,
        axis=None,
    ),
    case(
        "unravel_index",
        tensor("...", -7, 7),
        OneOf([(2, 3), [6], (1, 2, 3), 6]),
        ref=unravel,
        dtypes=("int32", "int8"),
    ),
    case(
        "select",
        [tensor("a b", dtype="bool"), tensor("a b", dtype="bool")],
        [tensor("a b"), tensor("a b")],
        ref=np.select,
        default=OneOf([0, -1]),
    ),
    case("select", [tensor("a 1", dtype="bool")], [tensor("b")], 0, ref=np.select),
    case(
        "select",
        [tensor("a", dtype="bool")],
        [tensor("a", dtype="int32")],
        1.5,
        ref=np.select,
        dtypes=("float32",),
        result_dtype="float32",
    ),
]

REFUSALS: list[Refusal] = [
    refusal("get_item", array([1, 2]), (0, 0), match="at most 1 indices"),
    refusal("get_item", array([1, 2]), 2, match="an index from -2 to 1"),
    refusal("take", array([1, 2]), array([0]), 1, match="an axis from -1 to 0"),
    refusal("take_along_axis", array([[1, 2]]), array([[0]]), 2, match="an axis from -2 to 1"),
    refusal(
        "select",
        [array([True])],
        [array([1.0]), array([2.0])],
        match="as many choices as conditions",
    ),
]
