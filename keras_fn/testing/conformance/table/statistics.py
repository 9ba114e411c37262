"""Cases of histograms, counts and correlation."""

import warnings

import numpy as np

from keras_fn.testing.conformance.case import (
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


def bincount(x, weights=None, minlength=0):
    x = x.astype("int64")
    rows = np.atleast_2d(x)
    bins = max(int(x.max(initial=-1)) + 1, minlength)
    heavy = [None] * len(rows) if weights is None else np.atleast_2d(weights)
    counts = [np.bincount(r, w, bins) for r, w in zip(rows, heavy, strict=True)]
    return np.reshape(counts, (*x.shape[:-1], bins))


def corrcoef(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.reshape(np.corrcoef(x), x.shape[:-1] * 2)


LINE = array([1.0, 2.0, 4.0])

SQUARE = array([[1.0, 2.0], [3.0, 4.0]])

CASES: list[Case] = [
    # Counts
    case(
        "bincount",
        tensor("n", low=0, high=5),
        ref=bincount,
        dtypes=("int32", "uint8", "bool"),
        result_dtype="int32",
        minlength=OneOf([0, 4, 9]),
        jit=False,
    ),
    case(
        "bincount",
        tensor("m n", low=0, high=5),
        ref=bincount,
        dtypes=("int32", "int8"),
        result_dtype="int32",
        minlength=OneOf([0, 9]),
        jit=False,
    ),
    case(
        "bincount",
        tensor("n", low=0, high=5),
        tensor("n", dtype="float32"),
        ref=bincount,
        dtypes=("int32",),
        result_dtype="float32",
        jit=False,
        symbolic=False,
    ),
    case(
        "bincount",
        tensor("m n", low=0, high=5),
        tensor("m n", dtype="int32"),
        ref=bincount,
        dtypes=("int32", "uint8"),
        result_dtype="int32",
        jit=False,
        symbolic=False,
    ),
    case(
        "histogram",
        tensor("n"),
        ref=np.histogram,
        result_dtype="float",
        gradient=False,
        bins=OneOf([1, 4]),
        dtypes=("float32", "int32"),
        min_size=0,
        range=OneOf([(-2, 2), (-8.0, 8.0), (0, 1)]),
    ),
    case(
        "histogram",
        array([1.0, 2.0, 2.0, 5.0, 3.0]),
        ref=np.histogram,
        bins=OneOf([2, 4, 8]),
        dtypes=FLOATS,
        gradient=False,
    ),
    case(
        "histogram",
        array([2, 2]),
        ref=np.histogram,
        bins=2,
        dtypes=("float32", "int32"),
        result_dtype="float",
        gradient=False,
    ),
    case(
        "histogram",
        array([0.5, np.nan, 1.0]),
        ref=np.histogram,
        bins=2,
        dtypes=("float32",),
        range=(0, 1),
        gradient=False,
    ),
    # Correlations
    case(
        "corrcoef",
        tensor("m 4"),
        ref=corrcoef,
        result_dtype="float",
        dtypes=("float32", "float64"),
        min_size=1,
    ),
    case(
        "corrcoef",
        tensor("m 4", low=-99, high=99),
        ref=corrcoef,
        result_dtype="float",
        dtypes=("int32",),
        min_size=2,
    ),
    case("corrcoef", tensor("5"), ref=corrcoef, result_dtype="float", gradient=False),
    case("corrcoef", array([[1.0, 1.0], [1.0, 2.0]]), ref=corrcoef, dtypes=("float32",)),
    case(
        "correlate",
        tensor("m"),
        tensor("n"),
        ref=np.correlate,
        result_dtype="float",
        min_size=1,
        dynamic_shapes=True,
        mode=OneOf(["valid", "same", "full"]),
        dtypes=(*NUMBERS, "float64"),
    ),
    # Conjugates the second
    case(
        "correlate",
        tensor("4"),
        tensor("2"),
        ref=np.correlate,
        mode=OneOf(["valid", "same", "full"]),
        dtypes=("complex64",),
        gradient=False,
        symbolic=False,
    ),
]

REFUSALS: list[Refusal] = [
    refusal("bincount", LINE, match="ops.bincount\n  expected: integers", error=TypeError),
    refusal("bincount", array([[[1]]]), match="ops.bincount\n  expected: a tensor of rank 1 or 2"),
    refusal("bincount", array([1, 2]), LINE, match="ops.bincount\n  expected: weights of shape"),
    refusal("histogram", SQUARE, match="ops.histogram\n  expected: a tensor of rank 1"),
    refusal(
        "histogram", LINE, bins=0, match="ops.histogram\n  expected: a positive number of bins"
    ),
    refusal(
        "histogram", LINE, bins=[1.0, 2.0], match="ops.histogram\n  expected: bins: an integer"
    ),
    refusal("histogram", LINE, range=(2, 1), match="ops.histogram\n  expected: an ascending range"),
    refusal(
        "corrcoef", array([[[1.0]]]), match="ops.corrcoef\n  expected: a tensor of rank 1 or 2"
    ),
    refusal(
        "correlate",
        LINE,
        SQUARE,
        match="ops.correlate\n  expected: two non-empty tensors of rank 1",
    ),
    refusal("correlate", LINE, LINE, mode="some", match="ops.correlate\n  expected: mode 'valid'"),
]
