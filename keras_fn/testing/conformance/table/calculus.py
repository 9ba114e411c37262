"""Cases of differences and integrals."""

import numpy as np

from keras_fn.testing.conformance.case import (
    NUMBERS,
    AxisArgument,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)


def trapezoid(y, x=None, dx=1.0, axis=-1):
    return np.trapezoid(y * 1.0, x, dx, axis)


def diff(a, n=1, axis=-1):
    return np.diff(a, n, axis)


LINE = array([1.0, 2.0, 4.0])

CASES: list[Case] = [
    # Differences
    case(
        "diff",
        tensor(),
        ref=diff,
        n=OneOf([0, 1, 2, 5]),
        axis=AxisArgument(),
        rank=(1, 3),
        dtypes=(*NUMBERS, "int8", "bool"),
    ),
    case(
        "trapezoid",
        tensor(),
        ref=trapezoid,
        result_dtype="float",
        axis=AxisArgument(),
        rank=(1, 3),
        dx=OneOf([1.0, 0.5]),
    ),
    case(
        "trapezoid", tensor("m n"), tensor("n"), ref=trapezoid, result_dtype="float", symbolic=False
    ),
    case(
        "trapezoid",
        tensor("m n"),
        tensor("m"),
        1.0,
        0,
        ref=trapezoid,
        result_dtype="float",
        symbolic=False,
    ),
    case(
        "trapezoid",
        tensor("m n"),
        tensor("m n"),
        1.0,
        AxisArgument(),
        ref=trapezoid,
        result_dtype="float",
        symbolic=False,
    ),
]

REFUSALS: list[Refusal] = [
    refusal("diff", LINE, n=-1, match="ops.diff\n  expected: n >= 0"),
    refusal("diff", array(1.0), match="ops.diff\n  expected: a tensor with at least one axis"),
    refusal(
        "trapezoid", LINE, array([1.0, 2.0]), match="ops.trapezoid\n  expected: 3 sample points"
    ),
]
