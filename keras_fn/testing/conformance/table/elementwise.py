"""Elementwise mathematics, comparisons, logic and bits."""

import numpy as np
import scipy.special

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

WIDE = (*FLOATS, "float16", "float64")
INTS = ("int32", "int8", "uint8", "int64", "uint32")
ODD = A([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.5])
BITS = (*INTS, "bool")

# Function, and the range that it is tried in.
UNARY_FLOAT = {
    "exp": (np.exp, -3, 3), "exp2": (np.exp2, -3, 3), "expm1": (np.expm1, -2, 2),
    "log": (np.log, 0.1, 5), "log2": (np.log2, 0.1, 5), "log10": (np.log10, 0.1, 5),
    "log1p": (np.log1p, -0.5, 5), "sqrt": (np.sqrt, 0.1, 5),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 0.1, 5),
    "sin": (np.sin, -3, 3), "cos": (np.cos, -3, 3), "tan": (np.tan, -1, 1),
    "arcsin": (np.arcsin, -0.9, 0.9), "arccos": (np.arccos, -0.9, 0.9),
    "arctan": (np.arctan, -3, 3), "sinh": (np.sinh, -2, 2), "cosh": (np.cosh, -2, 2),
    "tanh": (np.tanh, -3, 3), "arcsinh": (np.arcsinh, -3, 3), "arccosh": (np.arccosh, 1.1, 5),
    "arctanh": (np.arctanh, -0.9, 0.9), "sigmoid": (scipy.special.expit, -5, 5),
    "erf": (scipy.special.erf, -2, 2), "erfc": (scipy.special.erfc, -2, 4),
    "erfinv": (scipy.special.erfinv, -0.9, 0.9), "i0": (np.i0, -4, 4),
    "cbrt": (np.cbrt, 0.1, 9), "fabs": (np.fabs, -3, 3), "sinc": (np.sinc, -3, 3),
    "deg2rad": (np.deg2rad, -360, 360), "rad2deg": (np.rad2deg, -6, 6),
    "reciprocal": (lambda x: 1 / x, 0.5, 3),
}  # fmt: skip
STEPS = {"floor": np.floor, "ceil": np.ceil}
PREDICATES = {
    "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan,
    "signbit": lambda x: np.signbit(x * 1),
    "isposinf": lambda x: x == np.inf, "isneginf": lambda x: x == -np.inf,
}  # fmt: skip
ARITHMETIC = {
    "add": np.add, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
    "fmax": np.fmax, "fmin": np.fmin,
}  # fmt: skip
BINARY_FLOAT = {
    "hypot": np.hypot, "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2,
    "arctan2": np.arctan2,
}  # fmt: skip
COMPARISON = {
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal,
}  # fmt: skip
BITWISE = {
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
}  # fmt: skip
LOGICAL = {
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
}  # fmt: skip
SHIFTS = {
    "left_shift": np.left_shift, "bitwise_left_shift": np.left_shift,
    "right_shift": np.right_shift, "bitwise_right_shift": np.right_shift,
}  # fmt: skip


def heaviside(x1, x2):
    return np.where(np.isnan(x1), x1, np.heaviside(x1, x2))


def divide_no_nan(x1, x2):
    return np.where(x2 == 0, 0.0, x1 / np.where(x2 == 0, 1, x2))


def saturate_cast(x, dtype):
    limits = np.iinfo(dtype)
    return np.clip(x, limits.min, limits.max).astype(dtype)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """In the range of float32: references get float64."""
    most = float(np.finfo("float32").max)
    posinf, neginf = most if posinf is None else posinf, -most if neginf is None else neginf
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def of_integers(function):
    return lambda x, *args: function(x.astype("int32"), *args)


def rounding(x, decimals=0):
    return np.round(x, decimals)


CASES: list[Case] = [
    *(
        case(name, T(low=low, high=high), ref=f, result="float", specials=True)
        for name, (f, low, high) in UNARY_FLOAT.items()
    ),
    *(
        case(name, T(low=low, high=high), ref=f, dtypes=("float64", "float16"), rank=(1, 1))
        for name, (f, low, high) in UNARY_FLOAT.items()
    ),
    *(
        case(name, T(), ref=f, result="float", specials=True, gradient=False)
        for name, f in STEPS.items()
    ),
    case("cbrt", A([27.0, -8.0, 0.0, 1e-30, 1e30, -1.0]), ref=np.cbrt, dtypes=("float32",)),
    case("erfc", A([5.0, 8.0, -8.0]), ref=scipy.special.erfc, dtypes=("float32",)),
    # The same whatever the dtype
    case("absolute", T(), ref=np.absolute, dtypes=(*ALL, "int8", "uint8"), specials=True),
    case("abs", T(), ref=np.absolute),
    case("absolute", T(), ref=np.absolute, dtypes=("complex64",), result="float32"),
    case("negative", T(), ref=np.negative, dtypes=(*NUMBERS, "int8"), specials=True),
    case("sign", T(), ref=np.sign, dtypes=(*NUMBERS, "uint8"), specials=True, gradient=False),
    case("trunc", T(), ref=np.trunc, dtypes=(*NUMBERS, "uint8"), specials=True, gradient=False),
    case("square", T(), ref=np.square, dtypes=(*NUMBERS, "int8"), specials=True),
    case("stop_gradient", T(), ref=lambda x: x, dtypes=ALL, gradient=False),
    case("round", T(), ref=rounding, dtypes=FLOATS, specials=True, gradient=False),
    case("round", A([0.5, 1.5, -2.5, 2.4]), ref=rounding, dtypes=FLOATS, gradient=False),
    case("round", T(low=-99, high=99), ref=rounding, dtypes=("float32",), gradient=False,
         decimals=OneOf([1, 2])),
    case("round", T(low=-99, high=99), ref=rounding, dtypes=("int32", "int64", "float32"),
         gradient=False, decimals=OneOf([-1, -2, 0, 3])),
    case("nan_to_num", T(), ref=nan_to_num, dtypes=(*ALL, "float64"),
         nan=OneOf([0.0, 1.0]), posinf=OneOf([None, 2.0]), neginf=OneOf([None, -3.0])),
    case("nan_to_num", ODD, ref=nan_to_num, dtypes=("float32",), nan=OneOf([0.0, 1.0]),
         posinf=OneOf([None, 2.0]), neginf=OneOf([None, -3.0])),
    case("saturate_cast", T(low=-400, high=400), "uint8", ref=saturate_cast, symbolic=False,
         dtypes=("float32", "int32"), result="uint8"),
    # Predicates
    *(case(n, T(), ref=f, dtypes=(*ALL, "uint8"), result="bool", specials=True)
      for n, f in PREDICATES.items()),
    *(case(n, ODD, ref=f, dtypes=WIDE, result="bool") for n, f in PREDICATES.items()),
    # Two operands
    *(case(n, T(), T(), ref=f, dtypes=(*NUMBERS, "int8", "float64"), specials=True)
      for n, f in ARITHMETIC.items()),
    *(case(n, T(), T(), ref=f, dtypes=("bool",)) for n, f in ARITHMETIC.items()),
    *(case(n, T(), OneOf([2, 0, -1]), ref=f) for n, f in ARITHMETIC.items()),
    *(case(n, OneOf([2, 0, -1]), T(), ref=f) for n, f in ARITHMETIC.items()),
    *(case(n, T(), T(dtype="float32"), ref=f, dtypes=("int32", "bfloat16", "bool"),
           result="float32") for n, f in ARITHMETIC.items()),
    case("subtract", T(), T(), ref=np.subtract, dtypes=(*NUMBERS, "int8"), specials=True),
    case("subtract", T(), 2, ref=np.subtract),
    case("subtract", 2, T(), ref=np.subtract),
    case("squared_difference", T(), T(), ref=lambda a, b: (a - b) ** 2, specials=True,
         symbolic=False),
    case("true_divide", T(), T(low=1), ref=np.true_divide, result="float", specials=True),
    case("true_divide", 1, T(low=1), ref=np.true_divide, result="float"),
    case("divide", T(), T(low=1), ref=np.true_divide, result="float", specials=True),
    case("divide", T(), 2, ref=np.true_divide, result="float"),
    case("divide_no_nan", T(), T(low=1), ref=divide_no_nan, result="float"),
    case("divide_no_nan", T("4"), A([0, 1, 0, -2]), ref=divide_no_nan, result="float",
         gradient=False),
    case("floor_divide", T(low=-9, high=9), T(low=2, high=4), ref=np.floor_divide,
         dtypes=("float32", "int32"), gradient=False),
    case("floor_divide", T(low=-9, high=9), 2, ref=np.floor_divide, gradient=False),
    case("mod", T(low=-9, high=9), T(low=2, high=4), ref=np.mod, dtypes=("float32", "int32"),
         gradient=False),
    case("mod", T(low=-9, high=9), OneOf([3, -4]), ref=np.mod, dtypes=("float32", "int32")),
    case("mod", 7, T(low=-4, high=-2), ref=np.mod, dtypes=("float32", "int32"), gradient=False),
    case("fmod", T(low=-9, high=9), T(low=2, high=4), ref=np.fmod, gradient=False,
         dtypes=("float32", "int32", "int8")),
    case("fmod", T(low=-9, high=9), OneOf([3, -4]), ref=np.fmod, dtypes=("float32", "int32")),
    case("fmod", 7, T(low=-4, high=-2), ref=np.fmod, dtypes=("float32", "int32"), gradient=False),
    case("fmod", A([7.5, -7.5, np.inf, 1.0, 1.0, np.nan]), A([2.0, 2.0, 2.0, np.inf, 0.0, 1.0]),
         ref=np.fmod, dtypes=("float32",)),
    case("power", T(low=0.5), T(low=0), ref=np.power),
    case("power", T(), OneOf([2, 3]), ref=np.power),
    case("power", 2, T(low=0), ref=np.power),
    *(case(n, T(low=1), T(low=1), ref=f, result="float", specials=True)
      for n, f in BINARY_FLOAT.items()),
    *(case(n, T(low=1), T(low=1), ref=f, dtypes=("float64", "float16"), rank=(1, 2))
      for n, f in BINARY_FLOAT.items()),
    *(case(n, T(low=1), OneOf([2, 0.5]), ref=f, dtypes=WIDE) for n, f in BINARY_FLOAT.items()),
    *(case(n, 2.0, T(low=1), ref=f, dtypes=WIDE) for n, f in BINARY_FLOAT.items()),
    case("hypot", A([3e38, np.inf, 0.0, -1e-30]), A([1e38, np.nan, 0.0, 1e-30]), ref=np.hypot,
         dtypes=("float32",)),
    *(case(n, A([1.0, -2.0]), A([1.0, -2.0]), ref=BINARY_FLOAT[n], dtypes=("float32",))
      for n in ("logaddexp", "logaddexp2", "hypot")),
    case("heaviside", T(), T(), ref=heaviside, result="float", dtypes=(*ALL, "float64"),
         gradient=False),
    case("heaviside", ODD, T("7"), ref=heaviside, dtypes=FLOATS, gradient=False),
    case("heaviside", T(), 0.5, ref=heaviside, result="float", gradient=False),
    case("heaviside", OneOf([0, -1, 1]), T(), ref=heaviside, dtypes=WIDE),
    case("ldexp", T(), T(low=-4, high=4, dtype="int32"), ref=lambda x, n: np.ldexp(x * 1.0, n),
         dtypes=(*NUMBERS, "float16", "float64"), result="float"),
    case("ldexp", A([1.5, 3.0, -1.0, 0.0, np.inf, 1e-30]), A([120, -100, 3, 500, 1, 200], "int32"),
         ref=np.ldexp, dtypes=("float32",)),
    case("ldexp", T(), 3, ref=lambda x, n: np.ldexp(x * 1.0, n), result="float"),
    case("nextafter", A([0.0, 1.0, -1.0, 1.0, np.inf, np.nan, 2.0]),
         A([1.0, 2.0, 2.0, 1.0, 0.0, 1.0, np.nan]),
         ref=lambda a, b: np.nextafter(np.float32(a), np.float32(b)), dtypes=("float32",)),
    case("where", T("n", dtype="bool"), T("n"), T("n"), ref=np.where, dtypes=(*ALL, "int8")),
    case("where", T(dtype="bool"), T(), T(), ref=np.where),
    case("where", A([[1, 0, 2]], "int32"), T("n 3"), 1, ref=np.where),
    case("where", A([[True, False]], "bool"), 2, T("n 2"), ref=np.where),
    case("where", T("m n", low=-1, high=1), ref=np.where, dtypes=ALL, result="int32", jit=False),
    case("clip", T(), -1, 2, ref=np.clip, dtypes=NUMBERS, specials=True),
    *(case(n, T(), *args, ref=of_integers(f), dtypes=("bool",), result="int32")
      for n, args, f in (("clip", (-1, 2), np.clip), ("floor_divide", (2,), np.floor_divide),
                         ("mod", (2,), np.mod))),
    case("clip", T("m n"), T("n", low=-2, high=0), T("m 1", low=0, high=2), ref=np.clip,
         symbolic=False),
    case("clip", T(), -1.5, 1.5, ref=np.clip, dtypes=("int32",), result="float32"),
    # Comparisons and logic
    *(case(n, T(), T(), ref=f, dtypes=(*ALL, "uint8"), result="bool", specials=True)
      for n, f in COMPARISON.items()),
    *(case(n, T(), OneOf([1, 0]), ref=f, result="bool") for n, f in COMPARISON.items()),
    *(case(n, OneOf([1, 0]), T(), ref=f, result="bool") for n, f in COMPARISON.items()),
    *(case(n, T(), T(), ref=f, dtypes=ALL, result="bool", specials=True)
      for n, f in LOGICAL.items()),
    *(case(n, T(), True, ref=f, dtypes=ALL, result="bool") for n, f in LOGICAL.items()),
    case("logical_not", T(low=0, high=1), ref=lambda x: x == 0, dtypes=ALL, result="bool",
         specials=True),
    case("isclose", T(), T(), ref=np.isclose, dtypes=ALL, result="bool", specials=True),
    case("isclose", A([1.0, np.inf, -np.inf, np.nan, 1.0]), A([1.000001, np.inf, np.inf, np.nan,
         1.01]), ref=np.isclose, dtypes=("float32",), result="bool", rtol=OneOf([1e-5, 0.1]),
         atol=OneOf([1e-8, 1.0]), equal_nan=OneOf([False, True])),
    case("isclose", T(), 1, ref=np.isclose, result="bool", atol=0.5),
    case("allclose", T(), T(), ref=np.allclose, dtypes=ALL, result="bool", atol=OneOf([0.1, 9.0])),
    case("allclose", A([1.0, np.nan]), A([1.0, np.nan]), ref=np.allclose, dtypes=("float32",),
         result="bool", equal_nan=OneOf([False, True])),
    # Bits and integers
    *(case(n, T(), T(), ref=f, dtypes=BITS) for n, f in BITWISE.items()),
    *(case(n, T(), OneOf([1, 3]), ref=f, dtypes=("int32",)) for n, f in BITWISE.items()),
    *(case(n, T(), ref=np.invert, dtypes=BITS) for n in ("bitwise_not", "bitwise_invert")),
    *(case(n, T(low=-9, high=9), T(low=0, high=3), ref=f, dtypes=INTS) for n, f in SHIFTS.items()),
    *(case(n, T(low=-9, high=9), OneOf([0, 2]), ref=f, dtypes=INTS) for n, f in SHIFTS.items()),
    *(case(n, A([1, -8, 8, -1]), A([31, 40, 33, 1]), ref=f, dtypes=("int32",))
      for n, f in SHIFTS.items()),
    case("gcd", T(low=-12, high=12), T(low=-12, high=12), ref=np.gcd, dtypes=INTS),
    case("gcd", T(low=-12, high=12), 6, ref=np.gcd, dtypes=("int32",)),
    case("lcm", T(low=-9, high=9), T(low=-9, high=9), ref=np.lcm, dtypes=INTS),
    case("lcm", 4, T(low=-9, high=9), ref=np.lcm, dtypes=("int32",)),
]  # fmt: skip

ROW = A([1.0, 2.0])
REFUSALS: list[Refusal] = [
    *(
        refusal(n, ROW, ROW, match=f"ops.{n}\n  expected: integers\n  received: values that meet in"
                " float32", error=TypeError)
        for n in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift",
                  "bitwise_right_shift", "gcd", "lcm")
    ),
    refusal("bitwise_not", ROW, match="ops.bitwise_not\n  expected: integers", error=TypeError),
    refusal("ldexp", ROW, ROW, match="ops.ldexp, its second operand\n  expected: integers",
            error=TypeError),
    refusal("subtract", A([True]), A([False]), match="ops.subtract\n  expected: numbers",
            error=TypeError),
    refusal("negative", A([True]), match="ops.negative\n  expected: numbers", error=TypeError),
    refusal("add", ROW, A([1.0, 2.0, 3.0]), match="shapes that broadcast"),
    refusal("fmax", ROW, A([1.0, 2.0, 3.0]), match="shapes that broadcast"),
    refusal("isclose", ROW, A([1.0, 2.0, 3.0]), match="shapes that broadcast"),
    refusal("allclose", ROW, A([1.0, 2.0, 3.0]), match="shapes that broadcast"),
    refusal("where", A([True, False]), A([1.0, 2.0]), match="ops.where\n  expected: both x1"),
    refusal("where", A([True, False]), A([1.0, 2.0, 3.0]), 1.0, match="ops.where"),
]  # fmt: skip
