"""Cases of numerical ranges."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    NUMBERS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

MOVED = dict(dtypes=ALL, non_finite=True)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    return list(np.meshgrid(*x, indexing=indexing))  # type: ignore[call-overload]


ONLY = {"symbolic": False, "jit": False, "gradient": False, "dtypes": ("float32",)}

ENDS = OneOf([True, False])


def geomspace(start, stop, num=50, endpoint=True, axis=0, dtype=None):
    """Where the ends lie within one power of ten of each other, NumPy is exact enough."""
    return np.geomspace(start, stop, num, endpoint, dtype, axis)


ENDPOINT = array([1.0, 2.0])

CASES: list[Case] = [
    case(
        "meshgrid",
        tensor("a"),
        tensor("b"),
        tensor("c"),
        ref=meshgrid,
        indexing=OneOf(["xy", "ij"]),
        **MOVED,
    ),
    case("meshgrid", tensor("a"), ref=meshgrid, indexing=OneOf(["xy", "ij"])),
    case(
        "meshgrid",
        tensor("a"),
        tensor("b", dtype="int32"),
        tensor(""),
        ref=meshgrid,
        dtypes=("float32",),
        result_dtype="float32,int32,float32",
    ),
    # Between two ends
    case(
        "linspace",
        tensor(),
        tensor(),
        ref=np.linspace,
        num=OneOf([0, 1, 2, 5]),
        endpoint=ENDS,
        axis=OneOf([0, -1]),
        dtypes=(*NUMBERS, "float64"),
        result_dtype="float",
    ),
    case(
        "linspace",
        tensor("n"),
        tensor("m n"),
        ref=np.linspace,
        num=3,
        axis=OneOf([0, 1, 2, -2]),
        dtypes=("float32",),
    ),
    case(
        "linspace",
        tensor(),
        tensor(),
        ref=np.linspace,
        num=OneOf([2, 5]),
        endpoint=ENDS,
        retstep=True,
        dtypes=FLOATS,
    ),
    case("linspace", tensor("n"), 10, ref=np.linspace, num=4, result_dtype="float"),
    case("linspace", 0, tensor("n"), ref=np.linspace, num=4, result_dtype="float"),
    case("linspace", 0, OneOf([-10, 10]), ref=np.linspace, num=4, **ONLY),
    case(
        "linspace",
        0,
        OneOf([-10, 10]),
        ref=np.linspace,
        num=4,
        dtype="int32",
        **ONLY | {"result_dtype": "int32"},
    ),
    case("linspace", 0.0, 1.0, ref=np.linspace, num=1, retstep=True, **ONLY),
    case(
        "logspace",
        tensor(),
        tensor(),
        ref=np.logspace,
        num=OneOf([0, 1, 5]),
        endpoint=ENDS,
        axis=OneOf([0, -1]),
        base=OneOf([10, 2.0]),
        dtypes=(*NUMBERS, "float64"),
        result_dtype="float",
    ),
    case(
        "logspace",
        0,
        3,
        ref=np.logspace,
        num=4,
        base=2,
        dtype="int32",
        **ONLY | {"result_dtype": "int32"},
    ),
    case(
        "geomspace",
        tensor(low=1, high=9),
        tensor(low=1, high=9),
        ref=geomspace,
        num=OneOf([0, 1, 5]),
        endpoint=ENDS,
        axis=OneOf([0, -1]),
        dtypes=(*NUMBERS, "float64"),
        result_dtype="float",
    ),
    case(
        "geomspace",
        tensor(low=-9, high=-1),
        tensor(low=-9, high=-1),
        ref=geomspace,
        num=4,
        dtypes=("float32",),
    ),
    case("geomspace", 1, OneOf([1000, 256]), ref=geomspace, num=4, **ONLY),
]

REFUSALS: list[Refusal] = [
    refusal("meshgrid", array([[1, 2]]), match="tensors of rank 1"),
    refusal("meshgrid", array([1, 2]), indexing="yx", match="'xy' or 'ij'"),
    *(
        refusal(
            n,
            ENDPOINT,
            ENDPOINT,
            num=-1,
            match=f"ops.{n}\n  expected: a non-negative number of samples",
        )
        for n in ("linspace", "logspace", "geomspace")
    ),
    refusal("linspace", ENDPOINT, ENDPOINT, axis=2, match="ops.linspace\n  expected: an axis from"),
    refusal("linspace", ENDPOINT, array([1.0, 2.0, 3.0]), match="ops.linspace\n  expected: shapes"),
]
