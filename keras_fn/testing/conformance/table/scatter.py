"""Cases of scatter ops."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    NUMBERS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

JOIN = {
    None: lambda old, new: new,
    "add": lambda old, new: old + new,
    "max": np.maximum,
    "min": np.minimum,
    "mul": lambda old, new: old * new,
}


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


PLACES = array([[0, -1], [3, 2], [0, 3], [1, 1]], "int32")  # the last but one is out of range

ROWS = array([[1], [-1], [9]], "int64")

CASES: list[Case] = [
    case("scatter_update", tensor("4 3"), PLACES, tensor("4"), ref=scatter_update, dtypes=ALL),
    case(
        "scatter_update",
        tensor("4 3"),
        PLACES,
        tensor("4"),
        ref=scatter_update,
        reduction=OneOf(["add", "max", "min", "mul"]),
    ),
    case(
        "scatter_update",
        tensor("4 a"),
        ROWS,
        tensor("3 a"),
        ref=scatter_update,
        reduction=OneOf([None, "add", "max", "min", "mul"]),
    ),
    case(
        "scatter_update",
        tensor("3"),
        array([[0], [2], [0], [-3]], "int32"),
        tensor("4", 1, 3),
        ref=scatter_update,
        reduction=OneOf(["add", "mul"]),
    ),
    case(
        "scatter_update",
        tensor("3", -3, 3),
        array([[0], [0], [1]], "int32"),
        array([0.0, 0.0, 2.0]),
        ref=scatter_update,
        reduction="mul",
    ),
    case(
        "scatter_update",
        tensor("4 3"),
        array([[[0, 1], [2, 2]]], "int32"),
        tensor("1 2"),
        ref=scatter_update,
    ),
    case(
        "scatter_update",
        tensor("4 3"),
        ROWS,
        tensor("", dtype="float32"),
        ref=scatter_update,
        dtypes=("float32", "int32"),
    ),
    case("scatter", PLACES, tensor("4"), (4, 3), ref=scatter, dtypes=NUMBERS),
    # Floats are truncated
    case(
        "scatter_update",
        tensor("3"),
        array([[0.0], [1.9], [-1.0]], "float32"),
        array([7.0, 8.0, 9.0]),
        ref=lambda x, indices, y: scatter_update(x, indices.astype("int32"), y),
        gradient=False,
    ),
    case("scatter", array([[0], [2], [0]], "int32"), tensor("3 2"), (4, 2), ref=scatter),
]

REFUSALS: list[Refusal] = [
    refusal(
        "scatter_update", array([1, 2]), array([[0]]), array([1]), "sum", match="None, 'add', 'max'"
    ),
    refusal(
        "scatter_update",
        array([1, 2]),
        array([[True]]),
        array([1]),
        match="indices that are integers",
    ),
    refusal("scatter_update", array([1, 2]), array([[0, 0]]), array([1]), match="k from 1 to 1"),
    refusal("scatter_update", array([1, 2]), array(0), array([1]), match="k from 1 to 1"),
    refusal(
        "scatter_update",
        array([1, 2]),
        array([[0]]),
        array([1, 2]),
        match=r"updates of shape \(1,\)",
    ),
    refusal("scatter", array([[0]]), array([1, 2]), (3,), match=r"updates of shape \(1,\)"),
]
