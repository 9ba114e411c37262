"""Reductions over axes, with and without NaN, and running results."""

import warnings
from functools import wraps

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    NUMBERS,
    A,
    Axis,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)

KEEP = OneOf([False, True])
AXES = Axis(none=True, several=True)
NAN_ROWS = A([[np.nan, np.nan, np.nan], [1.5, np.nan, -2.0], [0.5, 3.0, np.inf]])


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
    return lambda x, axis=None, dtype=None: function(x, axis, dtype if x.dtype.kind == "f" else (
        dtype or ("int32" if x.dtype == bool else x.dtype)))  # fmt: skip


SUMS = {"sum": np.sum, "nansum": np.nansum, "prod": np.prod, "nanprod": np.nanprod}
MEANS = {
    "mean": np.mean, "std": np.std, "var": np.var,
    "nanmean": np.nanmean, "nanstd": np.nanstd, "nanvar": np.nanvar,
}  # fmt: skip
EXTREMA = {
    "max": np.max, "min": np.min, "amax": np.max, "amin": np.min,
    "nanmax": np.nanmax, "nanmin": np.nanmin,
}  # fmt: skip
ARGS = {
    "argmax": np.argmax, "argmin": np.argmin, "nanargmax": arg("argmax"),
    "nanargmin": arg("argmin"),
}  # fmt: skip
RUNNING = {
    "cumsum": np.cumsum, "cumprod": np.cumprod, "nancumsum": np.nancumsum,
    "nancumprod": np.nancumprod,
}  # fmt: skip

CASES: list[Case] = [
    *(case(n, T(low=-2, high=2), ref=f, dtypes=(*ALL, "int8", "uint8"), result="sum", axis=AXES,
           keepdims=KEEP, specials=n != "prod") for n, f in SUMS.items()),
    case("prod", T("m n", low=-2, high=2), ref=np.prod, dtypes=("int8",), axis=1, dtype="int8"),
    case("prod", T("m n", low=-2, high=2), ref=np.prod, dtypes=("int32", "bfloat16"), axis=0,
         dtype="float32", result="float32"),
    *(case(n, T(), ref=quiet(f), dtypes=ALL, result="float", axis=AXES, keepdims=KEEP,
           least=2, rank=(1, 4)) for n, f in MEANS.items()),
    *(case(n, NAN_ROWS, ref=quiet(f), dtypes=FLOATS, axis=OneOf([None, 0, 1]), keepdims=KEEP)
      for n, f in MEANS.items()),
    *(case(n, T(), ref=quiet(f), dtypes=(*ALL, "uint8"), axis=AXES, keepdims=KEEP, least=1,
           specials=True) for n, f in EXTREMA.items()),
    *(case(n, NAN_ROWS, ref=quiet(f), dtypes=FLOATS, axis=OneOf([None, 0, 1]), keepdims=KEEP)
      for n, f in {**EXTREMA, **SUMS}.items()),
    *(case(n, T("m n"), ref=EXTREMA[n], dtypes=NUMBERS, axis=OneOf([None, 0, -1, (0, 1)]),
           keepdims=KEEP, initial=OneOf([0, -9, 9]), specials=True) for n in ("max", "min")),
    case("max", T("0 3"), ref=np.max, axis=0, initial=-1, gradient=False),
    case("ptp", T(), ref=np.ptp, dtypes=(*NUMBERS, "int8"), axis=AXES, keepdims=KEEP, least=1),
    *(case(n, T(low=0, high=1), ref=holds(f), dtypes=ALL, result="bool", axis=AXES, keepdims=KEEP)
      for n, f in {"all": np.all, "any": np.any}.items()),
    *(case(n, T(low=-99, high=99), ref=f, dtypes=(*NUMBERS, "uint8"), result="int32",
           axis=Axis(none=True), keepdims=KEEP, least=1) for n, f in ARGS.items()),
    *(case(n, A([2, 5, 5, 1, 1]), ref=f, dtypes=(*NUMBERS, "bool"), result="int32")
      for n, f in ARGS.items()),
    *(case(n, NAN_ROWS, ref=f, dtypes=FLOATS, result="int32", axis=OneOf([None, 0, 1]),
           keepdims=KEEP) for n, f in ARGS.items()),
    *(case(n, T(low=-2, high=2), ref=typed(f), dtypes=(*NUMBERS, "int8", "uint8"),
           axis=Axis(none=True), rank=(1, 3)) for n, f in RUNNING.items()),
    *(case(n, T("m n"), ref=typed(f), dtypes=("bool",), axis=1, result="int32")
      for n, f in RUNNING.items()),
    *(case(n, T("m n", low=-2, high=2), ref=typed(f), dtypes=("int8", "int32"), axis=0,
           dtype="float32", result="float32") for n, f in RUNNING.items()),
    *(case(n, NAN_ROWS, ref=f, dtypes=("float32",), axis=OneOf([None, 0, 1]))
      for n, f in RUNNING.items()),
    case("count_nonzero", T(low=-1, high=1), ref=count_nonzero, dtypes=ALL, result="int32",
         axis=AXES, specials=True),
    case("average", T(), ref=np.average, result="float", axis=AXES, least=1),
    case("average", T("m n"), Axis(), T("m n", low=1, high=3, known=True), ref=weighted,
         result="float", least=1, symbolic=False),
    case("average", T("m n"), None, T("m n", low=1, high=3), ref=weighted, result="float", least=1,
         symbolic=False),
    case("average", T("m n k"), OneOf([1, -2]), T("n", low=1, high=3), ref=weighted,
         result="float", least=1, symbolic=False),
    case("logsumexp", T(low=-9, high=9), ref=logsumexp, result="float", axis=AXES, keepdims=KEEP,
         least=1, specials=True),
    case("logsumexp", A([[-np.inf, -np.inf], [np.inf, 1.0], [1e4, 1e4], [-1e4, -1e4]]),
         ref=logsumexp, dtypes=("float32", "float16"), axis=1, keepdims=KEEP),
    case("moments", T("m n k"), OneOf([0, (0, 2), [1], -1]), ref=moments, dtypes=NUMBERS,
         result="float", keepdims=KEEP, least=2),
]  # fmt: skip

EMPTY = A(np.zeros((0, 3)))
REFUSALS: list[Refusal] = [
    *(refusal(n, EMPTY, axis=0, match=f"ops.{m}\n  expected: at least one element")
      for n, m in (("max", "max"), ("min", "min"), ("amax", "max"), ("amin", "min"),
                   ("nanmax", "max"), ("nanmin", "min"), ("ptp", "max"))),
    *(refusal(n, A([1.0, 2.0]), axis=1, match="expected: an axis from -1 to 0\n"
              "  received: axis=1 for a tensor of rank 1")
      for n in ("sum", "mean", "prod", "max", "all", "argmax", "cumsum", "nansum", "nanmean",
                "var", "logsumexp")),
    refusal("ptp", A([True, False]), match="ops.ptp\n  expected: numbers", error=TypeError),
    refusal("average", A([[1.0, 2.0]]), 1, A([1.0, 2.0, 3.0]),
            match="ops.average\n  expected: weights of shape"),
    refusal("average", A([[1.0, 2.0]]), None, A([1.0, 2.0]),
            match="ops.average\n  expected: weights of shape"),
]  # fmt: skip
