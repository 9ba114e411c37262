"""Cases of comparisons and logic."""

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

WIDE = (*FLOATS, "float16", "float64")

ODD = array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.5])

PREDICATES = {
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "isnan": np.isnan,
    "signbit": lambda x: np.signbit(x * 1),
    "isposinf": lambda x: x == np.inf,
    "isneginf": lambda x: x == -np.inf,
}

COMPARISON = {
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
}

LOGICAL = {
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}

ROW = array([1.0, 2.0])

CASES: list[Case] = [
    # Predicates
    *(
        case(n, tensor(), ref=f, dtypes=(*ALL, "uint8"), result_dtype="bool", non_finite=True)
        for n, f in PREDICATES.items()
    ),
    *(case(n, ODD, ref=f, dtypes=WIDE, result_dtype="bool") for n, f in PREDICATES.items()),
    case(
        "where",
        tensor("n", dtype="bool"),
        tensor("n"),
        tensor("n"),
        ref=np.where,
        dtypes=(*ALL, "int8"),
    ),
    case("where", tensor(dtype="bool"), tensor(), tensor(), ref=np.where),
    case("where", array([[1, 0, 2]], "int32"), tensor("n 3"), 1, ref=np.where),
    case("where", array([[True, False]], "bool"), 2, tensor("n 2"), ref=np.where),
    case(
        "where",
        tensor("m n", low=-1, high=1),
        ref=np.where,
        dtypes=ALL,
        result_dtype="int32",
        jit=False,
    ),
    # Comparisons and logic
    *(
        case(
            n,
            tensor(),
            tensor(),
            ref=f,
            dtypes=(*ALL, "uint8"),
            result_dtype="bool",
            non_finite=True,
        )
        for n, f in COMPARISON.items()
    ),
    *(case(n, tensor(), OneOf([1, 0]), ref=f, result_dtype="bool") for n, f in COMPARISON.items()),
    *(case(n, OneOf([1, 0]), tensor(), ref=f, result_dtype="bool") for n, f in COMPARISON.items()),
    *(
        case(n, tensor(), tensor(), ref=f, dtypes=ALL, result_dtype="bool", non_finite=True)
        for n, f in LOGICAL.items()
    ),
    *(case(n, tensor(), True, ref=f, dtypes=ALL, result_dtype="bool") for n, f in LOGICAL.items()),
    case(
        "logical_not",
        tensor(low=0, high=1),
        ref=lambda x: x == 0,
        dtypes=ALL,
        result_dtype="bool",
        non_finite=True,
    ),
    case(
        "isclose",
        tensor(),
        tensor(),
        ref=np.isclose,
        dtypes=ALL,
        result_dtype="bool",
        non_finite=True,
    ),
    case(
        "isclose",
        array([1.0, np.inf, -np.inf, np.nan, 1.0]),
        array([1.000001, np.inf, np.inf, np.nan, 1.01]),
        ref=np.isclose,
        dtypes=("float32",),
        result_dtype="bool",
        rtol=OneOf([1e-5, 0.1]),
        atol=OneOf([1e-8, 1.0]),
        equal_nan=OneOf([False, True]),
    ),
    case("isclose", tensor(), 1, ref=np.isclose, result_dtype="bool", atol=0.5),
    case(
        "allclose",
        tensor(),
        tensor(),
        ref=np.allclose,
        dtypes=ALL,
        result_dtype="bool",
        atol=OneOf([0.1, 9.0]),
    ),
    case(
        "allclose",
        array([1.0, np.nan]),
        array([1.0, np.nan]),
        ref=np.allclose,
        dtypes=("float32",),
        result_dtype="bool",
        equal_nan=OneOf([False, True]),
    ),
]

REFUSALS: list[Refusal] = [
    refusal("isclose", ROW, array([1.0, 2.0, 3.0]), match="shapes that broadcast"),
    refusal("allclose", ROW, array([1.0, 2.0, 3.0]), match="shapes that broadcast"),
    refusal(
        "where", array([True, False]), array([1.0, 2.0]), match="ops.where\n  expected: both x1"
    ),
    refusal("where", array([True, False]), array([1.0, 2.0, 3.0]), 1.0, match="ops.where"),
]
