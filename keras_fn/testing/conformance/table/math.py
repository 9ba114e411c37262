"""Cases of elementwise mathematical functions."""

import numpy as np
import scipy.special

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
from keras_fn.testing.conformance.table._elementwise import (
    arithmetic_cases,
    binary_float_cases,
    unary_float_cases,
)

WIDE = (*FLOATS, "float16", "float64")

INTS = ("int32", "int8", "uint8", "int64", "uint32")

ODD = array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.5])

# Function, and the range that it is tried in.
UNARY_FLOAT = {
    "exp": (np.exp, -3, 3),
    "exp2": (np.exp2, -3, 3),
    "expm1": (np.expm1, -2, 2),
    "log": (np.log, 0.1, 5),
    "log2": (np.log2, 0.1, 5),
    "log10": (np.log10, 0.1, 5),
    "log1p": (np.log1p, -0.5, 5),
    "sqrt": (np.sqrt, 0.1, 5),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 0.1, 5),
    "sigmoid": (scipy.special.expit, -5, 5),
    "erf": (scipy.special.erf, -2, 2),
    "erfc": (scipy.special.erfc, -2, 4),
    "erfinv": (scipy.special.erfinv, -0.9, 0.9),
    "i0": (np.i0, -4, 4),
    "cbrt": (np.cbrt, 0.1, 9),
    "sinc": (np.sinc, -3, 3),
}

STEPS = {"floor": np.floor, "ceil": np.ceil}

ARITHMETIC = {
    "fmax": np.fmax,
    "fmin": np.fmin,
}

BINARY_FLOAT = {
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "logaddexp2": np.logaddexp2,
}


def heaviside(x1, x2):
    return np.where(np.isnan(x1), x1, np.heaviside(x1, x2))


def divide_no_nan(x1, x2):
    return np.where(x2 == 0, 0.0, x1 / np.where(x2 == 0, 1, x2))


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """In the range of float32: references get float64."""
    most = float(np.finfo("float32").max)
    posinf, neginf = most if posinf is None else posinf, -most if neginf is None else neginf
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def rounding(x, decimals=0):
    return np.round(x, decimals)


ROW = array([1.0, 2.0])

CASES: list[Case] = [
    *unary_float_cases(UNARY_FLOAT),
    *(
        case(name, tensor(), ref=f, result_dtype="float", non_finite=True, gradient=False)
        for name, f in STEPS.items()
    ),
    case("cbrt", array([27.0, -8.0, 0.0, 1e-30, 1e30, -1.0]), ref=np.cbrt, dtypes=("float32",)),
    case("erfc", array([5.0, 8.0, -8.0]), ref=scipy.special.erfc, dtypes=("float32",)),
    case(
        "trunc", tensor(), ref=np.trunc, dtypes=(*NUMBERS, "uint8"), non_finite=True, gradient=False
    ),
    case("round", tensor(), ref=rounding, dtypes=FLOATS, non_finite=True, gradient=False),
    case("round", array([0.5, 1.5, -2.5, 2.4]), ref=rounding, dtypes=FLOATS, gradient=False),
    case(
        "round",
        tensor(low=-99, high=99),
        ref=rounding,
        dtypes=("float32",),
        gradient=False,
        decimals=OneOf([1, 2]),
    ),
    case(
        "round",
        tensor(low=-99, high=99),
        ref=rounding,
        dtypes=("int32", "int64", "float32"),
        gradient=False,
        decimals=OneOf([-1, -2, 0, 3]),
    ),
    case(
        "nan_to_num",
        tensor(),
        ref=nan_to_num,
        dtypes=(*ALL, "float64"),
        nan=OneOf([0.0, 1.0]),
        posinf=OneOf([None, 2.0]),
        neginf=OneOf([None, -3.0]),
    ),
    case(
        "nan_to_num",
        ODD,
        ref=nan_to_num,
        dtypes=("float32",),
        nan=OneOf([0.0, 1.0]),
        posinf=OneOf([None, 2.0]),
        neginf=OneOf([None, -3.0]),
    ),
    # Two operands
    *arithmetic_cases(ARITHMETIC),
    case("divide_no_nan", tensor(), tensor(low=1), ref=divide_no_nan, result_dtype="float"),
    case(
        "divide_no_nan",
        tensor("4"),
        array([0, 1, 0, -2]),
        ref=divide_no_nan,
        result_dtype="float",
        gradient=False,
    ),
    case(
        "fmod",
        tensor(low=-9, high=9),
        tensor(low=2, high=4),
        ref=np.fmod,
        gradient=False,
        dtypes=("float32", "int32", "int8"),
    ),
    case("fmod", tensor(low=-9, high=9), OneOf([3, -4]), ref=np.fmod, dtypes=("float32", "int32")),
    case(
        "fmod", 7, tensor(low=-4, high=-2), ref=np.fmod, dtypes=("float32", "int32"), gradient=False
    ),
    case(
        "fmod",
        array([7.5, -7.5, np.inf, 1.0, 1.0, np.nan]),
        array([2.0, 2.0, 2.0, np.inf, 0.0, 1.0]),
        ref=np.fmod,
        dtypes=("float32",),
    ),
    *binary_float_cases(BINARY_FLOAT),
    case(
        "hypot",
        array([3e38, np.inf, 0.0, -1e-30]),
        array([1e38, np.nan, 0.0, 1e-30]),
        ref=np.hypot,
        dtypes=("float32",),
    ),
    *(
        case(n, array([1.0, -2.0]), array([1.0, -2.0]), ref=BINARY_FLOAT[n], dtypes=("float32",))
        for n in ("logaddexp", "logaddexp2", "hypot")
    ),
    case(
        "heaviside",
        tensor(),
        tensor(),
        ref=heaviside,
        result_dtype="float",
        dtypes=(*ALL, "float64"),
        gradient=False,
    ),
    case("heaviside", ODD, tensor("7"), ref=heaviside, dtypes=FLOATS, gradient=False),
    case("heaviside", tensor(), 0.5, ref=heaviside, result_dtype="float", gradient=False),
    case("heaviside", OneOf([0, -1, 1]), tensor(), ref=heaviside, dtypes=WIDE),
    case(
        "ldexp",
        tensor(),
        tensor(low=-4, high=4, dtype="int32"),
        ref=lambda x, n: np.ldexp(x * 1.0, n),
        dtypes=(*NUMBERS, "float16", "float64"),
        result_dtype="float",
    ),
    case(
        "ldexp",
        array([1.5, 3.0, -1.0, 0.0, np.inf, 1e-30]),
        array([120, -100, 3, 500, 1, 200], "int32"),
        ref=np.ldexp,
        dtypes=("float32",),
    ),
    case("ldexp", tensor(), 3, ref=lambda x, n: np.ldexp(x * 1.0, n), result_dtype="float"),
    case(
        "nextafter",
        array([0.0, 1.0, -1.0, 1.0, np.inf, np.nan, 2.0]),
        array([1.0, 2.0, 2.0, 1.0, 0.0, 1.0, np.nan]),
        ref=lambda a, b: np.nextafter(np.float32(a), np.float32(b)),
        dtypes=("float32",),
    ),
    case("gcd", tensor(low=-12, high=12), tensor(low=-12, high=12), ref=np.gcd, dtypes=INTS),
    case("gcd", tensor(low=-12, high=12), 6, ref=np.gcd, dtypes=("int32",)),
    case("lcm", tensor(low=-9, high=9), tensor(low=-9, high=9), ref=np.lcm, dtypes=INTS),
    case("lcm", 4, tensor(low=-9, high=9), ref=np.lcm, dtypes=("int32",)),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(
            n,
            ROW,
            ROW,
            match=f"ops.{n}\n  expected: integers\n  received: values of dtype float32",
            error=TypeError,
        )
        for n in (
            "gcd",
            "lcm",
        )
    ),
    refusal(
        "ldexp",
        ROW,
        ROW,
        match="ops.ldexp .x2.\n  expected: integers",
        error=TypeError,
    ),
    refusal("fmax", ROW, array([1.0, 2.0, 3.0]), match="shapes that broadcast"),
]
