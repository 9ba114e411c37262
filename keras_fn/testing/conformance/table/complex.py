"""Cases of complex numbers."""

import numpy as np

from keras_fn.testing.conformance.case import Case, Refusal, array, case, refusal, tensor

COMPLEX = ("complex64", "complex128")

REAL = ("float32", "bfloat16", "int32", "bool", "float64")

PARTS = {"real": np.real, "imag": np.imag}


def view_as_complex(x):
    return x[..., 0] + 1j * x[..., 1]


def view_as_real(x):
    return np.stack([np.real(x), np.imag(x)], -1)


def polar(abs_, angle):
    return abs_ * np.exp(1j * angle)


CASES: list[Case] = [
    *(case(n, tensor(), ref=f, dtypes=REAL) for n, f in PARTS.items()),
    *(
        case(n, tensor(), ref=f, dtypes=(dtype,), result_dtype=result)
        for dtype, result in zip(COMPLEX, ("float32", "float64"), strict=True)
        for n, f in {**PARTS, "angle": np.angle, "view_as_real": view_as_real}.items()
    ),
    *(case(n, tensor(), ref=np.conjugate, dtypes=(*COMPLEX, *REAL)) for n in ("conjugate", "conj")),
    case("view_as_real", tensor(), ref=view_as_real, dtypes=REAL),
    case(
        "view_as_complex",
        tensor("... 2"),
        ref=view_as_complex,
        result_dtype="complex64",
        dtypes=("float32", "bfloat16", "int32"),
    ),
    case(
        "view_as_complex",
        tensor("... 2"),
        ref=view_as_complex,
        dtypes=("float64",),
        result_dtype="complex128",
    ),
    case(
        "angle",
        tensor(low=-3, high=3),
        ref=np.angle,
        dtypes=("float32", "bfloat16", "int32"),
        result_dtype="float",
        gradient=False,
    ),
    case(
        "angle",
        array([-1.0, 1.0, 0.0, np.nan, np.inf, -np.inf]),
        ref=np.angle,
        result_dtype="float",
        dtypes=("float32",),
    ),
    case(
        "isreal",
        tensor(),
        ref=np.isreal,
        dtypes=("float32", "int32", "bool", "complex64"),
        result_dtype="bool",
    ),
    case(
        "isreal",
        array([1 + 2j, 1.0, 0.0]),
        ref=np.isreal,
        dtypes=("complex64",),
        result_dtype="bool",
    ),
    case(
        "polar",
        tensor(low=0),
        tensor(),
        ref=polar,
        dtypes=("float32", "bfloat16", "int32"),
        result_dtype="complex64",
    ),
    case("polar", tensor(low=0), 1.5, ref=polar, dtypes=("float64",), result_dtype="complex128"),
]

REFUSALS: list[Refusal] = [
    refusal(
        "view_as_complex",
        array([1.0, 2.0, 3.0]),
        match="ops.view_as_complex\n  expected: a last axis of size 2",
    ),
    refusal("view_as_complex", array(1.0), match="ops.view_as_complex\n  expected: a last axis"),
    refusal("polar", array([1.0, 2.0]), array([1.0, 2.0, 3.0]), match="shapes that broadcast"),
]
