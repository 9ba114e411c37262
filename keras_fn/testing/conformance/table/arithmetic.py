"""Cases of elementwise arithmetic."""

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
from keras_fn.testing.conformance.table._elementwise import arithmetic_cases, unary_float_cases

# Function, and the range that it is tried in.
UNARY_FLOAT = {
    "fabs": (np.fabs, -3, 3),
    "reciprocal": (lambda x: 1 / x, 0.5, 3),
}

ARITHMETIC = {
    "add": np.add,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


def saturate_cast(x, dtype):
    limits = np.iinfo(dtype)
    return np.clip(x, limits.min, limits.max).astype(dtype)


def of_integers(function):
    return lambda x, *args: function(x.astype("int32"), *args)


ROW = array([1.0, 2.0])

CASES: list[Case] = [
    *unary_float_cases(UNARY_FLOAT),
    # The same whatever the dtype
    case("absolute", tensor(), ref=np.absolute, dtypes=(*ALL, "int8", "uint8"), non_finite=True),
    case("abs", tensor(), ref=np.absolute),
    case("absolute", tensor(), ref=np.absolute, dtypes=("complex64",), result_dtype="float32"),
    case("negative", tensor(), ref=np.negative, dtypes=(*NUMBERS, "int8"), non_finite=True),
    case(
        "sign", tensor(), ref=np.sign, dtypes=(*NUMBERS, "uint8"), non_finite=True, gradient=False
    ),
    case("square", tensor(), ref=np.square, dtypes=(*NUMBERS, "int8"), non_finite=True),
    case(
        "saturate_cast",
        tensor(low=-400, high=400),
        "uint8",
        ref=saturate_cast,
        symbolic=False,
        dtypes=("float32", "int32"),
        result_dtype="uint8",
    ),
    # Two operands
    *arithmetic_cases(ARITHMETIC),
    case(
        "subtract", tensor(), tensor(), ref=np.subtract, dtypes=(*NUMBERS, "int8"), non_finite=True
    ),
    case("subtract", tensor(), 2, ref=np.subtract),
    case("subtract", 2, tensor(), ref=np.subtract),
    case(
        "squared_difference",
        tensor(),
        tensor(),
        ref=lambda a, b: (a - b) ** 2,
        non_finite=True,
        symbolic=False,
    ),
    case(
        "true_divide",
        tensor(),
        tensor(low=1),
        ref=np.true_divide,
        result_dtype="float",
        non_finite=True,
    ),
    case("true_divide", 1, tensor(low=1), ref=np.true_divide, result_dtype="float"),
    case(
        "divide", tensor(), tensor(low=1), ref=np.true_divide, result_dtype="float", non_finite=True
    ),
    case("divide", tensor(), 2, ref=np.true_divide, result_dtype="float"),
    case(
        "floor_divide",
        tensor(low=-9, high=9),
        tensor(low=2, high=4),
        ref=np.floor_divide,
        dtypes=("float32", "int32"),
        gradient=False,
    ),
    case("floor_divide", tensor(low=-9, high=9), 2, ref=np.floor_divide, gradient=False),
    case(
        "mod",
        tensor(low=-9, high=9),
        tensor(low=2, high=4),
        ref=np.mod,
        dtypes=("float32", "int32"),
        gradient=False,
    ),
    case("mod", tensor(low=-9, high=9), OneOf([3, -4]), ref=np.mod, dtypes=("float32", "int32")),
    case(
        "mod", 7, tensor(low=-4, high=-2), ref=np.mod, dtypes=("float32", "int32"), gradient=False
    ),
    case("power", tensor(low=0.5), tensor(low=0), ref=np.power),
    case("power", tensor(), OneOf([2, 3]), ref=np.power),
    case("power", 2, tensor(low=0), ref=np.power),
    case("clip", tensor(), -1, 2, ref=np.clip, dtypes=NUMBERS, non_finite=True),
    *(
        case(n, tensor(), *args, ref=of_integers(f), dtypes=("bool",), result_dtype="int32")
        for n, args, f in (
            ("clip", (-1, 2), np.clip),
            ("floor_divide", (2,), np.floor_divide),
            ("mod", (2,), np.mod),
        )
    ),
    case(
        "clip",
        tensor("m n"),
        tensor("n", low=-2, high=0),
        tensor("m 1", low=0, high=2),
        ref=np.clip,
        symbolic=False,
    ),
    case("clip", tensor(), -1.5, 1.5, ref=np.clip, dtypes=("int32",), result_dtype="float32"),
]

REFUSALS: list[Refusal] = [
    refusal(
        "subtract",
        array([True]),
        array([False]),
        match="ops.subtract\n  expected: numbers",
        error=TypeError,
    ),
    refusal("negative", array([True]), match="ops.negative\n  expected: numbers", error=TypeError),
    refusal("add", ROW, array([1.0, 2.0, 3.0]), match="shapes that broadcast"),
]
