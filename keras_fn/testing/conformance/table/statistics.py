"""Order statistics, counts, correlations, distances and differences."""

import warnings

import numpy as np
import scipy.spatial.distance

from keras_fn.testing.conformance.case import (
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
METHODS = OneOf(["linear", "lower", "higher", "midpoint", "nearest"])
NAN_ROWS = A([[np.nan, np.nan, np.nan], [1.5, np.nan, -2.0], [0.5, 3.0, 1.0]])
SIDES = OneOf(["left", "right"])


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


def trapezoid(y, x=None, dx=1.0, axis=-1):
    return np.trapezoid(y * 1.0, x, dx, axis)


def diff(a, n=1, axis=-1):
    return np.diff(a, n, axis)


def cdist(x, y):
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x = np.broadcast_to(x, (*batch, *x.shape[-2:])).reshape(-1, *x.shape[-2:])
    y = np.broadcast_to(y, (*batch, *y.shape[-2:])).reshape(-1, *y.shape[-2:])
    pairs = [scipy.spatial.distance.cdist(a, b) for a, b in zip(x, y, strict=True)]
    return np.reshape(pairs, (*batch, x.shape[-2], y.shape[-2]))


def psnr(x1, x2, max_val):
    return 10 * np.log10(max_val**2 / np.mean((x1 - x2) ** 2))


def isin(x1, x2, assume_unique, invert):
    """What is drawn may come twice, and the hint must change nothing."""
    return np.isin(x1, x2, invert=invert)


def rising(x):
    return np.sort(x, axis=None)


CASES: list[Case] = [
    *(case(n, T(), OneOf([0.0, 0.25, 0.5, 1, 0.9]), ref=quantiles(n), result="float", axis=AXES,
           keepdims=KEEP, method=METHODS, least=1, gradient=False, dtypes=(*NUMBERS, "float64"))
      for n in ("quantile", "nanquantile")),
    *(case(n, T(), OneOf([0, 50, 87.5, [10, 90]]), ref=quantiles(n), result="float", axis=AXES,
           keepdims=KEEP, method=METHODS, least=1, gradient=False)
      for n in ("percentile", "nanpercentile")),
    *(case(n, T("m 5"), OneOf([[0.1, 0.6], [0.3], 0.7]), ref=quantiles(n), axis=1, least=1,
           dtypes=("float32",)) for n in ("quantile", "nanquantile")),
    *(case(n, T("m 5"), A([0.1, 0.6, 1.0], "float32"), ref=quantiles(n), axis=Axis(none=True),
           keepdims=KEEP, least=1, gradient=False, result="float")
      for n in ("quantile", "nanquantile")),
    *(case(n, T("m 5"), A([10.0, 60.0], "float32"), ref=quantiles(n), axis=Axis(none=True),
           least=1, gradient=False, result="float") for n in ("percentile", "nanpercentile")),
    *(case(n, A(np.arange(11.0)), OneOf([i / 10 for i in range(11)]), ref=quantiles(n),
           method=METHODS, dtypes=("float32",)) for n in ("quantile", "nanquantile")),
    *(case(n, A([1.0, np.inf, -np.inf, 2.0]), OneOf([0.0, 1 / 3, 2 / 3, 1.0]), ref=quantiles(n),
           method=OneOf(["lower", "higher", "nearest"]), dtypes=("float32",))
      for n in ("quantile", "nanquantile")),
    *(case(n, NAN_ROWS, OneOf([0.5, [0.25, 0.5]]), ref=quantiles(n), dtypes=FLOATS,
           axis=OneOf([None, 0, 1]), keepdims=KEEP) for n in ("quantile", "nanquantile")),
    *(case(n, T(), ref=medians(n), result="float", axis=AXES, keepdims=KEEP, least=1,
           dtypes=(*NUMBERS, "float64")) for n in ("median", "nanmedian")),
    *(case(n, NAN_ROWS, ref=medians(n), dtypes=FLOATS, axis=OneOf([None, 0, 1]), keepdims=KEEP)
      for n in ("median", "nanmedian")),
    # Counts
    case("bincount", T("n", low=0, high=5), ref=bincount, dtypes=("int32", "uint8", "bool"),
         result="int32", minlength=OneOf([0, 4, 9]), jit=False),
    case("bincount", T("m n", low=0, high=5), ref=bincount, dtypes=("int32", "int8"),
         result="int32", minlength=OneOf([0, 9]), jit=False),
    case("bincount", T("n", low=0, high=5), T("n", dtype="float32"), ref=bincount,
         dtypes=("int32",), result="float32", jit=False, symbolic=False),
    case("bincount", T("m n", low=0, high=5), T("m n", dtype="int32"), ref=bincount,
         dtypes=("int32", "uint8"), result="int32", jit=False, symbolic=False),
    case("histogram", T("n"), ref=np.histogram, result="float", gradient=False, bins=OneOf([1, 4]),
         dtypes=("float32", "int32"), least=0, range=OneOf([(-2, 2), (-8.0, 8.0), (0, 1)])),
    case("histogram", A([1.0, 2.0, 2.0, 5.0, 3.0]), ref=np.histogram, bins=OneOf([2, 4, 8]),
         dtypes=FLOATS, gradient=False),
    case("histogram", A([2, 2]), ref=np.histogram, bins=2, dtypes=("float32", "int32"),
         result="float", gradient=False),
    case("histogram", A([0.5, np.nan, 1.0]), ref=np.histogram, bins=2, dtypes=("float32",),
         range=(0, 1), gradient=False),
    case("searchsorted", T("n", make=rising), T(), ref=np.searchsorted, result="int32",
         side=SIDES, dtypes=(*NUMBERS, "int8", "float64"), gradient=False),
    case("searchsorted", A([1.0, 2.0, 2.0, 3.0]), T("m n", low=1, high=3), ref=np.searchsorted,
         result="int32", side=SIDES, gradient=False),
    case("searchsorted", A([1.0, 2.0]), A([np.nan, np.inf, -np.inf, 2.0]), ref=np.searchsorted,
         result="int32", side=SIDES, dtypes=("float32",)),
    case("searchsorted", A([False, True]), T("n"), ref=np.searchsorted, result="int32",
         side=SIDES, dtypes=("bool",)),
    case("searchsorted", A([1, 3], "int32"), T("n"), ref=np.searchsorted, result="int32",
         side=SIDES, dtypes=("float32",), gradient=False),
    case("isin", T("m n"), T("k"), ref=isin, result="bool", assume_unique=KEEP, invert=KEEP,
         dtypes=(*NUMBERS, "bool")),
    case("isin", A([1.0, np.nan, np.inf]), A([[np.nan, np.inf]]), ref=np.isin, result="bool",
         invert=KEEP, dtypes=FLOATS),
    # Correlations
    case("corrcoef", T("m 4"), ref=corrcoef, result="float", dtypes=("float32", "float64"),
         least=1),
    case("corrcoef", T("m 4", low=-99, high=99), ref=corrcoef, result="float", dtypes=("int32",),
         least=2),
    case("corrcoef", T("5"), ref=corrcoef, result="float", gradient=False),
    case("corrcoef", A([[1.0, 1.0], [1.0, 2.0]]), ref=corrcoef, dtypes=("float32",)),
    case("correlate", T("m"), T("n"), ref=np.correlate, result="float", least=1, unknown=True,
         mode=OneOf(["valid", "same", "full"]), dtypes=(*NUMBERS, "float64")),
    # Differences
    case("diff", T(), ref=diff, n=OneOf([0, 1, 2, 5]), axis=Axis(), rank=(1, 3),
         dtypes=(*NUMBERS, "int8", "bool")),
    case("trapezoid", T(), ref=trapezoid, result="float", axis=Axis(), rank=(1, 3),
         dx=OneOf([1.0, 0.5])),
    case("trapezoid", T("m n"), T("n"), ref=trapezoid, result="float", symbolic=False),
    case("trapezoid", T("m n"), T("m"), 1.0, 0, ref=trapezoid, result="float", symbolic=False),
    case("trapezoid", T("m n"), T("m n"), 1.0, Axis(), ref=trapezoid, result="float",
         symbolic=False),
    case("cdist", T("m f"), T("n f"), ref=cdist, result="float", dtypes=(*NUMBERS, "float64"),
         least=1),
    case("cdist", T("... m f"), T("... n f"), ref=cdist, rank=(0, 2), dtypes=("float32",),
         least=1),
    case("cdist", A([[1e30, 0.0], [0.0, 0.0]]), A([[0.0, 1e30], [1e-30, 1e-30]]), ref=cdist,
         dtypes=("float32",)),
    case("psnr", T("m n", low=0), T("m n", low=-3, high=-1), OneOf([1.0, 255]), ref=psnr,
         result="float", least=1),
    case("psnr", A([1.0, 2.0]), A([1.0, 2.0]), 1.0, ref=psnr, dtypes=("float32",)),
]  # fmt: skip

LINE = A([1.0, 2.0, 4.0])
SQUARE = A([[1.0, 2.0], [3.0, 4.0]])
REFUSALS: list[Refusal] = [
    *(refusal(n, LINE, 0.5, method="hazen", match=f"ops.{n}\n  expected: a method among linear")
      for n in ("quantile", "percentile", "nanquantile", "nanpercentile")),
    *(refusal(n, LINE, q, match=f"ops.{n}\n  expected: numbers from 0 to {most} for q")
      for n, q, most in (("quantile", 1.5, 1), ("percentile", [50, 101], 100),
                         ("nanquantile", -0.1, 1))),
    refusal("quantile", LINE, SQUARE, match="ops.quantile\n  expected: a number or a vector for q"),
    refusal("quantile", LINE, 0.5, axis=1, match="axis=1 for a tensor of rank 1"),
    refusal("bincount", A([1, 2]), sparse=True, match="ops.bincount\n  expected: sparse=False"),
    refusal("bincount", LINE, match="ops.bincount\n  expected: integers", error=TypeError),
    refusal("bincount", A([[[1]]]), match="ops.bincount\n  expected: a tensor of rank 1 or 2"),
    refusal("bincount", A([1, 2]), LINE, match="ops.bincount\n  expected: weights of shape"),
    refusal("histogram", SQUARE, match="ops.histogram\n  expected: a tensor of rank 1"),
    refusal("histogram", LINE, bins=0, match="ops.histogram\n  expected: a number of bins"),
    refusal("histogram", LINE, bins=[1.0, 2.0], match="ops.histogram\n  expected: a number of"),
    refusal("histogram", LINE, range=(2, 1), match="ops.histogram\n  expected: a range that rises"),
    refusal("searchsorted", SQUARE, LINE, match="ops.searchsorted\n  expected: a sorted sequence"),
    refusal("searchsorted", LINE, LINE, side="middle", match="ops.searchsorted\n  expected: side="),
    refusal("corrcoef", A([[[1.0]]]), match="ops.corrcoef\n  expected: a tensor of rank 1 or 2"),
    refusal("correlate", LINE, SQUARE, match="ops.correlate\n  expected: two tensors of rank 1"),
    refusal("correlate", LINE, LINE, mode="some", match="ops.correlate\n  expected: mode 'valid'"),
    refusal("diff", LINE, n=-1, match="ops.diff\n  expected: n from 0 up"),
    refusal("diff", A(1.0), match="ops.diff\n  expected: a tensor with at least one axis"),
    refusal("trapezoid", LINE, A([1.0, 2.0]), match="ops.trapezoid\n  expected: 3 places"),
    refusal("cdist", LINE, LINE, match="ops.cdist\n  expected: tensors of shapes"),
    refusal("cdist", SQUARE, A([[1.0, 2.0, 3.0]]), match="ops.cdist\n  expected: tensors of shape"),
    refusal("psnr", LINE, A([1.0]), 1.0, match="ops.psnr\n  expected: two tensors of one shape"),
]  # fmt: skip
