"""Cases of the core ops: casts, copies, sizes."""

from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
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


def view(x: Any, dtype: Any = None) -> Any:
    return x if dtype is None else x.astype("float32").view(numpy_dtype(dtype))


def cast(x: Any, dtype: str) -> Any:
    return x.astype(dtype)


CASES: list[Case] = [
    case("copy", tensor("..."), ref=lambda x: x, dtypes=ALL, non_finite=True),
    # no class in model files; its inference is in tests/ops/test_core.py
    case(
        "size",
        tensor("..."),
        ref=np.size,
        dtypes=ALL,
        result_dtype="int32",
        gradient=False,
        symbolic=False,
    ),
    case(
        "view",
        tensor("a 2"),
        OneOf(["int32"]),
        ref=view,
        dtypes=("float32",),
        result_dtype="int32",
        gradient=False,
    ),
    case(
        "view",
        tensor("a 2"),
        "int8",
        ref=view,
        dtypes=("float32",),
        result_dtype="int8",
        gradient=False,
    ),
    case(
        "view",
        array([[1, 2, 3, 4]], "int8"),
        "int32",
        ref=lambda x, dtype: x.view(dtype),
        dtypes=("int8",),
        result_dtype="int32",
    ),
    case("view", tensor("..."), ref=view, dtypes=("float32",), gradient=False),
    case(
        "cast",
        tensor("..."),
        OneOf(["float32"]),
        ref=cast,
        dtypes=ALL,
        result_dtype="float32",
        gradient=False,
    ),
    case(
        "cast", tensor("..."), "int32", ref=cast, dtypes=ALL, result_dtype="int32", gradient=False
    ),
    case("cast", tensor("..."), "bool", ref=cast, dtypes=ALL, result_dtype="bool", gradient=False),
]

REFUSALS: list[Refusal] = [
    refusal("view", array([[1, 2, 3]], "int8"), "int32", match="a last axis whose bytes"),
]
