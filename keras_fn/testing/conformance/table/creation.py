"""Tensors made of a shape or of two ends, and window functions."""

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    NUMBERS,
    A,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)

ONLY = {"symbolic": False, "jit": False, "gradient": False, "dtypes": ("float32",)}
WINDOWS = {
    "bartlett": np.bartlett, "blackman": np.blackman, "hamming": np.hamming,
    "hanning": np.hanning,
}  # fmt: skip
FILLED = {"zeros": np.zeros, "ones": np.ones, "empty": np.zeros}
ENDS = OneOf([True, False])


def geomspace(start, stop, num=50, endpoint=True, axis=0, dtype=None):
    """Where the ends lie within one power of ten of each other, NumPy is exact enough."""
    return np.geomspace(start, stop, num, endpoint, dtype, axis)


CASES: list[Case] = [
    *(case(n, OneOf([(), (2,), 3, (2, 0, 1), [1, 2]]), ref=f, dtype=OneOf([None, "float32"]),
           **ONLY) for n, f in FILLED.items()),
    *(case(n, OneOf([(2, 3), 3]), ref=f, dtype="int8", **ONLY | {"result": "int8"})
      for n, f in FILLED.items()),
    case("full", OneOf([(), (2,), 3]), OneOf([7, 0.5, True]), ref=np.full, dtype="float32", **ONLY),
    case("full", (2, 3), A([1, 2, 3], "int32"), ref=np.full, dtype="int32", **ONLY | {
        "result": "int32"}),
    *(case(n, T(), ref=f, dtypes=(*ALL, "uint8"), gradient=False)
      for n, f in {"zeros_like": np.zeros_like, "ones_like": np.ones_like}.items()),
    *(case(n, T(), ref=f, dtypes=ALL, result="int8", dtype="int8", gradient=False)
      for n, f in {"zeros_like": np.zeros_like, "ones_like": np.ones_like}.items()),
    case("full_like", T(), OneOf([3, -2]), ref=np.full_like, gradient=False),
    case("full_like", T(), 0.5, ref=np.full_like, result="float32", dtype="float32",
         gradient=False),
    case("arange", OneOf([0, 3, -2]), ref=np.arange, **ONLY | {"result": "int32"}),
    case("arange", OneOf([1, 4]), OneOf([7, -5]), OneOf([1, 2, -3]), ref=np.arange,
         **ONLY | {"result": "int32"}),
    case("arange", 0.5, 3, 0.5, ref=np.arange, **ONLY),
    case("arange", 5, ref=np.arange, dtype=OneOf(["uint8"]), **ONLY | {"result": "uint8"}),
    case("eye", OneOf([0, 2, 3]), OneOf([None, 0, 2, 4]), k=OneOf([0, 1, -1]), ref=np.eye, **ONLY),
    case("eye", 3, 0, ref=np.eye, **ONLY),
    case("tri", 3, 0, ref=np.tri, **ONLY),
    case("eye", 2, ref=np.eye, dtype="int32", **ONLY | {"result": "int32"}),
    case("identity", OneOf([0, 3]), ref=np.identity, **ONLY),
    case("tri", OneOf([0, 2, 3]), OneOf([None, 0, 2, 4]), k=OneOf([0, 1, -1]), ref=np.tri, **ONLY),
    *(case(n, OneOf([0, 1, 2, 5, 12]), ref=f, **ONLY) for n, f in WINDOWS.items()),
    case("kaiser", OneOf([0, 1, 2, 5, 12]), OneOf([0.0, 2, 14.0]), ref=np.kaiser, **ONLY),
    # Between two ends
    case("linspace", T(), T(), ref=np.linspace, num=OneOf([0, 1, 2, 5]), endpoint=ENDS,
         axis=OneOf([0, -1]), dtypes=(*NUMBERS, "float64"), result="float"),
    case("linspace", T("n"), T("m n"), ref=np.linspace, num=3, axis=OneOf([0, 1, 2, -2]),
         dtypes=("float32",)),
    case("linspace", T(), T(), ref=np.linspace, num=OneOf([2, 5]), endpoint=ENDS, retstep=True,
         dtypes=FLOATS),
    case("linspace", T("n"), 10, ref=np.linspace, num=4, result="float"),
    case("linspace", 0, T("n"), ref=np.linspace, num=4, result="float"),
    case("linspace", 0, OneOf([-10, 10]), ref=np.linspace, num=4, **ONLY),
    case("linspace", 0, OneOf([-10, 10]), ref=np.linspace, num=4, dtype="int32",
         **ONLY | {"result": "int32"}),
    case("linspace", 0.0, 1.0, ref=np.linspace, num=1, retstep=True, **ONLY),
    case("logspace", T(), T(), ref=np.logspace, num=OneOf([0, 1, 5]), endpoint=ENDS,
         axis=OneOf([0, -1]), base=OneOf([10, 2.0]), dtypes=(*NUMBERS, "float64"), result="float"),
    case("logspace", 0, 3, ref=np.logspace, num=4, base=2, dtype="int32",
         **ONLY | {"result": "int32"}),
    case("geomspace", T(low=1, high=9), T(low=1, high=9), ref=geomspace, num=OneOf([0, 1, 5]),
         endpoint=ENDS, axis=OneOf([0, -1]), dtypes=(*NUMBERS, "float64"), result="float"),
    case("geomspace", T(low=-9, high=-1), T(low=-9, high=-1), ref=geomspace, num=4,
         dtypes=("float32",)),
    case("geomspace", 1, OneOf([1000, 256]), ref=geomspace, num=4, **ONLY),
]  # fmt: skip

ENDPOINT = A([1.0, 2.0])
REFUSALS: list[Refusal] = [
    *(refusal(n, ENDPOINT, ENDPOINT, num=-1, match=f"ops.{n}\n  expected: a number of samples")
      for n in ("linspace", "logspace", "geomspace")),
    refusal("linspace", ENDPOINT, ENDPOINT, axis=2, match="ops.linspace\n  expected: an axis from"),
    refusal("linspace", ENDPOINT, A([1.0, 2.0, 3.0]), match="ops.linspace\n  expected: shapes"),
]  # fmt: skip
