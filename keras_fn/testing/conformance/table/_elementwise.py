"""Rows that elementwise ops of several chapters share: functions of a table, cases from it."""

from typing import Any

from keras_fn.testing.conformance.case import FLOATS, NUMBERS, Case, OneOf, case, tensor

WIDE = (*FLOATS, "float16", "float64")


def unary_float_cases(functions: dict[str, Any]) -> list[Case]:
    """Cases of functions of one float: by name, the reference, and the range it is tried in."""
    return [
        *(
            case(name, tensor(low=low, high=high), ref=f, result_dtype="float", non_finite=True)
            for name, (f, low, high) in functions.items()
        ),
        *(
            case(
                name, tensor(low=low, high=high), ref=f, dtypes=("float64", "float16"), rank=(1, 1)
            )
            for name, (f, low, high) in functions.items()
        ),
    ]


def arithmetic_cases(functions: dict[str, Any]) -> list[Case]:
    """Cases of arithmetic of two numbers: by name, the reference."""
    return [
        # Two operands
        *(
            case(
                n, tensor(), tensor(), ref=f, dtypes=(*NUMBERS, "int8", "float64"), non_finite=True
            )
            for n, f in functions.items()
        ),
        *(case(n, tensor(), tensor(), ref=f, dtypes=("bool",)) for n, f in functions.items()),
        *(case(n, tensor(), OneOf([2, 0, -1]), ref=f) for n, f in functions.items()),
        *(case(n, OneOf([2, 0, -1]), tensor(), ref=f) for n, f in functions.items()),
        *(
            case(
                n,
                tensor(),
                tensor(dtype="float32"),
                ref=f,
                dtypes=("int32", "bfloat16", "bool"),
                result_dtype="float32",
            )
            for n, f in functions.items()
        ),
    ]


def binary_float_cases(functions: dict[str, Any]) -> list[Case]:
    """Cases of functions of two floats: by name, the reference."""
    return [
        *(
            case(n, tensor(low=1), tensor(low=1), ref=f, result_dtype="float", non_finite=True)
            for n, f in functions.items()
        ),
        *(
            case(n, tensor(low=1), tensor(low=1), ref=f, dtypes=("float64", "float16"), rank=(1, 2))
            for n, f in functions.items()
        ),
        *(
            case(n, tensor(low=1), OneOf([2, 0.5]), ref=f, dtypes=WIDE)
            for n, f in functions.items()
        ),
        *(case(n, 2.0, tensor(low=1), ref=f, dtypes=WIDE) for n, f in functions.items()),
    ]
