"""Complex numbers and their parts."""

import numpy as np

from keras_fn.testing.conformance.case import A, Case, Refusal, T, case, refusal

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
    *(case(n, T(), ref=f, dtypes=REAL) for n, f in PARTS.items()),
    *(
        case(n, T(), ref=f, dtypes=(dtype,), result=result)
        for dtype, result in zip(COMPLEX, ("float32", "float64"), strict=True)
        for n, f in {**PARTS, "angle": np.angle, "view_as_real": view_as_real}.items()
    ),
    *(case(n, T(), ref=np.conjugate, dtypes=(*COMPLEX, *REAL)) for n in ("conjugate", "conj")),
    case("view_as_real", T(), ref=view_as_real, dtypes=REAL),
    case("view_as_complex", T("... 2"), ref=view_as_complex, result="complex64",
         dtypes=("float32", "bfloat16", "int32")),
    case("view_as_complex", T("... 2"), ref=view_as_complex, dtypes=("float64",),
         result="complex128"),
    case("angle", T(low=-3, high=3), ref=np.angle, dtypes=("float32", "bfloat16", "int32"),
         result="float", gradient=False),
    case("angle", A([-1.0, 1.0, 0.0, np.nan, np.inf, -np.inf]), ref=np.angle, result="float",
         dtypes=("float32",)),
    case("isreal", T(), ref=np.isreal, dtypes=("float32", "int32", "bool", "complex64"),
         result="bool"),
    case("isreal", A([1 + 2j, 1.0, 0.0]), ref=np.isreal, dtypes=("complex64",), result="bool"),
    case("polar", T(low=0), T(), ref=polar, dtypes=("float32", "bfloat16", "int32"),
         result="complex64"),
    case("polar", T(low=0), 1.5, ref=polar, dtypes=("float64",), result="complex128"),
]  # fmt: skip

REFUSALS: list[Refusal] = [
    refusal("view_as_complex", A([1.0, 2.0, 3.0]),
            match="ops.view_as_complex\n  expected: a last axis of size 2"),
    refusal("view_as_complex", A(1.0), match="ops.view_as_complex\n  expected: a last axis"),
    refusal("polar", A([1.0, 2.0]), A([1.0, 2.0, 3.0]), match="shapes that broadcast"),
]  # fmt: skip
