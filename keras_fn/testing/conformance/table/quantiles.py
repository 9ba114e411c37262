"""Cases of quantiles."""

import warnings

import numpy as np

from keras_fn.testing.conformance.case import (
    FLOATS,
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

KEEP = OneOf([False, True])

AXES = AxisArgument(allow_none=True, allow_multiple=True)

METHODS = OneOf(["linear", "lower", "higher", "midpoint", "nearest"])

NAN_ROWS = array([[np.nan, np.nan, np.nan], [1.5, np.nan, -2.0], [0.5, 3.0, 1.0]])


def quantiles(name):
    def call(x, q, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(np, name)(x, q, **options)

    return call


def medians(name):
    def call(x, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(np, name)(x, **options)

    return call


LINE = array([1.0, 2.0, 4.0])

SQUARE = array([[1.0, 2.0], [3.0, 4.0]])

CASES: list[Case] = [
    *(
        case(
            n,
            tensor(),
            OneOf([0.0, 0.25, 0.5, 1, 0.9]),
            ref=quantiles(n),
            result_dtype="float",
            axis=AXES,
            keepdims=KEEP,
            method=METHODS,
            min_size=1,
            gradient=False,
            dtypes=(*NUMBERS, "float64"),
        )
        for n in ("quantile", "nanquantile")
    ),
    *(
        case(
            n,
            tensor(),
            OneOf([0, 50, 87.5, [10, 90]]),
            ref=quantiles(n),
            result_dtype="float",
            axis=AXES,
            keepdims=KEEP,
            method=METHODS,
            min_size=1,
            gradient=False,
        )
        for n in ("percentile", "nanpercentile")
    ),
    *(
        case(
            n,
            tensor("m 5"),
            OneOf([[0.1, 0.6], [0.3], 0.7]),
            ref=quantiles(n),
            axis=1,
            min_size=1,
            dtypes=("float32",),
        )
        for n in ("quantile", "nanquantile")
    ),
    *(
        case(
            n,
            tensor("m 5"),
            array([0.1, 0.6, 1.0], "float32"),
            ref=quantiles(n),
            axis=AxisArgument(allow_none=True),
            keepdims=KEEP,
            min_size=1,
            gradient=False,
            result_dtype="float",
        )
        for n in ("quantile", "nanquantile")
    ),
    *(
        case(
            n,
            tensor("m 5"),
            array([10.0, 60.0], "float32"),
            ref=quantiles(n),
            axis=AxisArgument(allow_none=True),
            min_size=1,
            gradient=False,
            result_dtype="float",
        )
        for n in ("percentile", "nanpercentile")
    ),
    *(
        case(
            n,
            array(np.arange(11.0)),
            OneOf([i / 10 for i in range(11)]),
            ref=quantiles(n),
            method=METHODS,
            dtypes=("float32",),
        )
        for n in ("quantile", "nanquantile")
    ),
    *(
        case(
            n,
            array([1.0, np.inf, -np.inf, 2.0]),
            OneOf([0.0, 1 / 3, 2 / 3, 1.0]),
            ref=quantiles(n),
            method=OneOf(["lower", "higher", "nearest"]),
            dtypes=("float32",),
        )
        for n in ("quantile", "nanquantile")
    ),
    *(
        case(
            n,
            NAN_ROWS,
            OneOf([0.5, [0.25, 0.5]]),
            ref=quantiles(n),
            dtypes=FLOATS,
            axis=OneOf([None, 0, 1]),
            keepdims=KEEP,
        )
        for n in ("quantile", "nanquantile")
    ),
    *(
        case(
            n,
            tensor(),
            ref=medians(n),
            result_dtype="float",
            axis=AXES,
            keepdims=KEEP,
            min_size=1,
            dtypes=(*NUMBERS, "float64"),
        )
        for n in ("median", "nanmedian")
    ),
    *(
        case(n, NAN_ROWS, ref=medians(n), dtypes=FLOATS, axis=OneOf([None, 0, 1]), keepdims=KEEP)
        for n in ("median", "nanmedian")
    ),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(n, LINE, 0.5, method="hazen", match=f"ops.{n}\n  expected: method: 'linear'")
        for n in ("quantile", "percentile", "nanquantile", "nanpercentile")
    ),
    *(
        refusal(n, LINE, q, match=f"ops.{n}\n  expected: numbers from 0 to {most} for q")
        for n, q, most in (
            ("quantile", 1.5, 1),
            ("percentile", [50, 101], 100),
            ("nanquantile", -0.1, 1),
        )
    ),
    refusal(
        "quantile", LINE, SQUARE, match="ops.quantile\n  expected: q to be a number or a vector"
    ),
    refusal("quantile", LINE, 0.5, axis=1, match="axis=1 for a tensor of rank 1"),
]
