"""Cases of reductions, including those that ignore NaN."""

import warnings
from functools import wraps

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
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

NAN_ROWS = array([[np.nan, np.nan, np.nan], [1.5, np.nan, -2.0], [0.5, 3.0, np.inf]])


def quiet(function):
    """A function of NumPy that warns of rows of NaN."""

    @wraps(function)
    def call(*args, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **options)

    return call


def holds(function):
    return lambda x, **options: function(x != 0, **options)


def arg(function):
    """With -1 for rows of NaN, where NumPy raises."""

    def call(x, axis=None, keepdims=False):
        if x.dtype.kind != "f":
            return getattr(np, function)(x, axis=axis, keepdims=keepdims)
        fill = -np.inf if function == "argmax" else np.inf
        index = getattr(np, function)(np.where(np.isnan(x), fill, x), axis=axis, keepdims=keepdims)
        return np.where(np.isnan(x).all(axis=axis, keepdims=keepdims), -1, index)

    return call


def weighted(x, axis, weights):
    return np.average(x, axis=axis, weights=weights)


def logsumexp(x, axis=None, keepdims=False):
    return np.logaddexp.reduce(x * 1.0, axis=axis, keepdims=keepdims)


def count_nonzero(x, axis=None):
    return np.count_nonzero(x, axis=axis)


def moments(x, axes, keepdims=False):
    axes = tuple(np.atleast_1d(axes))
    return x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)


def typed(function):
    """Running results in the dtype of the elements: NumPy widens small integers."""
    return lambda x, axis=None, dtype=None: function(
        x,
        axis,
        dtype if x.dtype.kind == "f" else (dtype or ("int32" if x.dtype == bool else x.dtype)),
    )


SUMS = {"sum": np.sum, "nansum": np.nansum, "prod": np.prod, "nanprod": np.nanprod}

MEANS = {
    "mean": np.mean,
    "std": np.std,
    "var": np.var,
    "nanmean": np.nanmean,
    "nanstd": np.nanstd,
    "nanvar": np.nanvar,
}

EXTREMA = {
    "max": np.max,
    "min": np.min,
    "amax": np.max,
    "amin": np.min,
    "nanmax": np.nanmax,
    "nanmin": np.nanmin,
}

ARGS = {
    "argmax": np.argmax,
    "argmin": np.argmin,
    "nanargmax": arg("argmax"),
    "nanargmin": arg("argmin"),
}

RUNNING = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "nancumsum": np.nancumsum,
    "nancumprod": np.nancumprod,
}

EMPTY = array(np.zeros((0, 3)))

CASES: list[Case] = [
    *(
        case(
            n,
            tensor(low=-2, high=2),
            ref=f,
            dtypes=(*ALL, "int8", "uint8"),
            result_dtype="sum",
            axis=AXES,
            keepdims=KEEP,
            non_finite=n != "prod",
        )
        for n, f in SUMS.items()
    ),
    case(
        "prod", tensor("m n", low=-2, high=2), ref=np.prod, dtypes=("int8",), axis=1, dtype="int8"
    ),
    case(
        "prod",
        tensor("m n", low=-2, high=2),
        ref=np.prod,
        dtypes=("int32", "bfloat16"),
        axis=0,
        dtype="float32",
        result_dtype="float32",
    ),
    *(
        case(
            n,
            tensor(),
            ref=quiet(f),
            dtypes=ALL,
            result_dtype="float",
            axis=AXES,
            keepdims=KEEP,
            min_size=2,
            rank=(1, 4),
        )
        for n, f in MEANS.items()
    ),
    *(
        case(n, NAN_ROWS, ref=quiet(f), dtypes=FLOATS, axis=OneOf([None, 0, 1]), keepdims=KEEP)
        for n, f in MEANS.items()
    ),
    *(
        case(
            n,
            tensor(),
            ref=quiet(f),
            dtypes=(*ALL, "uint8"),
            axis=AXES,
            keepdims=KEEP,
            min_size=1,
            non_finite=True,
        )
        for n, f in EXTREMA.items()
    ),
    *(
        case(n, NAN_ROWS, ref=quiet(f), dtypes=FLOATS, axis=OneOf([None, 0, 1]), keepdims=KEEP)
        for n, f in {**EXTREMA, **SUMS}.items()
    ),
    *(
        case(
            n,
            tensor("m n"),
            ref=EXTREMA[n],
            dtypes=NUMBERS,
            axis=OneOf([None, 0, -1, (0, 1)]),
            keepdims=KEEP,
            initial=OneOf([0, -9, 9]),
            non_finite=True,
        )
        for n in ("max", "min")
    ),
    case("max", tensor("0 3"), ref=np.max, axis=0, initial=-1, gradient=False),
    case(
        "ptp", tensor(), ref=np.ptp, dtypes=(*NUMBERS, "int8"), axis=AXES, keepdims=KEEP, min_size=1
    ),
    *(
        case(
            n,
            tensor(low=0, high=1),
            ref=holds(f),
            dtypes=ALL,
            result_dtype="bool",
            axis=AXES,
            keepdims=KEEP,
        )
        for n, f in {"all": np.all, "any": np.any}.items()
    ),
    *(
        case(
            n,
            tensor(low=-99, high=99),
            ref=f,
            dtypes=(*NUMBERS, "uint8"),
            result_dtype="int32",
            axis=AxisArgument(allow_none=True),
            keepdims=KEEP,
            min_size=1,
        )
        for n, f in ARGS.items()
    ),
    *(
        case(n, array([2, 5, 5, 1, 1]), ref=f, dtypes=(*NUMBERS, "bool"), result_dtype="int32")
        for n, f in ARGS.items()
    ),
    *(
        case(
            n,
            NAN_ROWS,
            ref=f,
            dtypes=FLOATS,
            result_dtype="int32",
            axis=OneOf([None, 0, 1]),
            keepdims=KEEP,
        )
        for n, f in ARGS.items()
    ),
    *(
        case(
            n,
            tensor(low=-2, high=2),
            ref=typed(f),
            dtypes=(*NUMBERS, "int8", "uint8"),
            axis=AxisArgument(allow_none=True),
            rank=(1, 3),
        )
        for n, f in RUNNING.items()
    ),
    # Along several axes, one after the other
    *(
        case(
            f"nan{name}",
            tensor("m n k", low=-2, high=2),
            ref=lambda x, axis, f=f: f(f(x, axis[0]), axis[1]),
            dtypes=("float32",),
            axis=OneOf([(0, 1), (2, 0)]),
            non_finite=False,
        )
        for name, f in (("cumsum", np.cumsum), ("cumprod", np.cumprod))
    ),
    *(
        case(n, tensor("m n"), ref=typed(f), dtypes=("bool",), axis=1, result_dtype="int32")
        for n, f in RUNNING.items()
    ),
    *(
        case(
            n,
            tensor("m n", low=-2, high=2),
            ref=typed(f),
            dtypes=("int8", "int32"),
            axis=0,
            dtype="float32",
            result_dtype="float32",
        )
        for n, f in RUNNING.items()
    ),
    *(
        case(n, NAN_ROWS, ref=f, dtypes=("float32",), axis=OneOf([None, 0, 1]))
        for n, f in RUNNING.items()
    ),
    case(
        "count_nonzero",
        tensor(low=-1, high=1),
        ref=count_nonzero,
        dtypes=ALL,
        result_dtype="int32",
        axis=AXES,
        non_finite=True,
    ),
    case("average", tensor(), ref=np.average, result_dtype="float", axis=AXES, min_size=1),
    case(
        "average",
        tensor("m n"),
        AxisArgument(),
        tensor("m n", low=1, high=3, static_shape=True),
        ref=weighted,
        result_dtype="float",
        min_size=1,
        symbolic=False,
    ),
    case(
        "average",
        tensor("m n"),
        None,
        tensor("m n", low=1, high=3),
        ref=weighted,
        result_dtype="float",
        min_size=1,
        symbolic=False,
    ),
    case(
        "average",
        tensor("m n k"),
        OneOf([1, -2]),
        tensor("n", low=1, high=3),
        ref=weighted,
        result_dtype="float",
        min_size=1,
        symbolic=False,
    ),
    case(
        "logsumexp",
        tensor(low=-9, high=9),
        ref=logsumexp,
        result_dtype="float",
        axis=AXES,
        keepdims=KEEP,
        min_size=1,
        non_finite=True,
    ),
    case(
        "logsumexp",
        array([[-np.inf, -np.inf], [np.inf, 1.0], [1e4, 1e4], [-1e4, -1e4]]),
        ref=logsumexp,
        dtypes=("float32", "float16"),
        axis=1,
        keepdims=KEEP,
    ),
    case(
        "moments",
        tensor("m n k"),
        OneOf([0, (0, 2), [1], -1]),
        ref=moments,
        dtypes=NUMBERS,
        result_dtype="float",
        keepdims=KEEP,
        min_size=2,
    ),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(n, EMPTY, axis=0, match=f"ops.{m}\n  expected: at least one element")
        for n, m in (
            ("max", "max"),
            ("min", "min"),
            ("amax", "max"),
            ("amin", "min"),
            ("nanmax", "max"),
            ("nanmin", "min"),
            ("ptp", "max"),
        )
    ),
    *(
        refusal(
            n,
            array([1.0, 2.0]),
            axis=1,
            match="expected: an axis from -1 to 0\n  received: axis=1 for a tensor of rank 1",
        )
        for n in (
            "sum",
            "mean",
            "prod",
            "max",
            "all",
            "argmax",
            "cumsum",
            "nansum",
            "nanmean",
            "var",
            "logsumexp",
        )
    ),
    refusal("ptp", array([True, False]), match="ops.ptp\n  expected: numbers", error=TypeError),
    refusal(
        "average",
        array([[1.0, 2.0]]),
        1,
        array([1.0, 2.0, 3.0]),
        match="ops.average\n  expected: weights of shape",
    ),
    refusal(
        "average",
        array([[1.0, 2.0]]),
        None,
        array([1.0, 2.0]),
        match="ops.average\n  expected: weights of shape",
    ),
]
