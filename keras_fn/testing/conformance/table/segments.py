"""Cases of segment reductions."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    NUMBERS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)
from keras_fn.testing.conformance.table.scatter import scatter_update


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

CASES: list[Case] = [
    *(
        case(
            n,
            tensor("5 ..."),
            array([0, 2, 0, -1, 7], "int32"),
            ref=f,
            rank=(0, 2),
            num_segments=OneOf([3, 4]),
            dtypes=(*NUMBERS, "int8"),
            sorted=False,
            gradient=False,
        )
        for n, f in SEGMENTS.items()
    ),
    *(
        case(
            n,
            tensor("5", -2, 2),
            array([0, 2, 2, 1, 3], "int64"),
            ref=f,
            jit=False,
            dynamic_shapes=False,
        )
        for n, f in SEGMENTS.items()
    ),
    *(
        case(
            n,
            tensor("4 a"),
            array([0, 1, 1, 2], "int32"),
            3,
            ref=f,
            sorted=True,
            dtypes=("float32",),
            non_finite=True,
        )
        for n, f in SEGMENTS.items()
    ),
    case(
        "segment_prod",
        tensor("4", -3, 3, transform=lambda x: x * [1, 0, 0, 1]),
        array([0, 0, 1, 1], "int32"),
        2,
        ref=SEGMENTS["segment_prod"],
        dtypes=("float32",),
    ),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(n, array([1.0, 2.0]), array([0]), 2, match=r"segment_ids of shape \(n,\)")
        for n in SEGMENTS
    ),
    *(
        refusal(
            n,
            array([1.0, 2.0]),
            array([0.0, 1.0]),
            2,
            match=f"ops.{n}\n  expected: segment_ids that",
        )
        for n in SEGMENTS
    ),
]
