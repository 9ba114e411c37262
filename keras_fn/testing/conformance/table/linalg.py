"""Cases of linear algebra."""

import warnings
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
import scipy.spatial.distance

from keras_fn.testing.conformance.assertions import assert_close, widen
from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    NUMBERS,
    Case,
    OneOf,
    Refusal,
    TensorArgument,
    array,
    case,
    refusal,
    tensor,
)


def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None):
    """The formula itself: NumPy deprecates vectors of two elements."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = np.moveaxis(x1, axisa, -1), np.moveaxis(x2, axisb, -1)
    flat = a.shape[-1] == b.shape[-1] == 2
    a, b = (np.concatenate([v, 0 * v[..., :1]], -1) if v.shape[-1] == 2 else v for v in (a, b))
    z = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    if flat:
        return z
    x = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    y = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    return np.moveaxis(np.stack([x, y, z], -1), -1, axisc)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(np.diagonal(x, offset, axis1, axis2), -1)


def inner(x1: Any, x2: Any) -> Any:
    return np.inner(x1, x2) if np.ndim(x1) and np.ndim(x2) else x1 * x2


OFFSET = OneOf([0, 1, -1, 2, -3, 5, -5])

MATRICES = ("float32", "float64", "bfloat16", "int32")


def turned(x: Any) -> Any:
    """The transposes of a stack of matrices."""
    return np.swapaxes(x, -1, -2)


def regular(x: Any) -> Any:
    """Far from singular."""
    return x / 6 + 2 * np.eye(x.shape[-1])


def positive(x: Any) -> Any:
    """Symmetric and positive definite."""
    return x @ turned(x) + np.eye(x.shape[-1])


def apart(x: Any) -> Any:
    """Singular values and eigenvalues that are far apart."""
    rows, columns = x.shape[-2:]
    return x / 10 + 3 * np.eye(rows, columns) * np.arange(1, columns + 1)


def square(make: Any = regular, **fields: Any) -> TensorArgument:
    """A stack of square matrices."""
    return tensor("... n n", transform=make, **fields)


def symmetric(x: Any) -> Any:
    """What `cholesky` and `eigh` take a matrix for."""
    return (x + turned(x)) / 2


def cholesky(x: Any, upper: bool = False) -> Any:
    """One triangle or the other."""
    factor = np.linalg.cholesky(symmetric(x))
    return turned(factor) if upper else factor


def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the product of the factor."""
    factor = np.triu(x) if upper else np.tril(x)
    return np.linalg.inv(turned(factor) @ factor if upper else factor @ turned(factor))


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """By the general solver."""
    return np.linalg.solve(np.tril(a) if lower else np.triu(a), b)


def lu_factor(x: Any) -> Any:
    """SciPy's, matrix by matrix."""
    lu, pivots = np.zeros(x.shape), np.zeros((*x.shape[:-2], min(x.shape[-2:])), "int32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)  # of a singular matrix
        for i in np.ndindex(x.shape[:-2]):
            lu[i], pivots[i] = scipy.linalg.lu_factor(x[i])
    return lu, pivots


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """NumPy's, without what else it returns."""
    return np.linalg.lstsq(a, b, rcond)[0]


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's, of complex numbers too."""
    if axis is None and ord is not None:
        axis = tuple(range(x.ndim))
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    return np.linalg.norm(x, ord, axis, keepdims)


def dtype_of(x: Any) -> str:
    """The dtype whose tolerance holds."""
    return x.dtype.name if x.dtype.kind in "fV" or "float" in x.dtype.name else "float32"


def close(actual: Any, wanted: Any, like: Any, what: str) -> None:
    """Compares what was put together again."""
    assert_close(np.asarray(actual), wanted, dtype_of(like), 4.0, what)


def orthonormal(q: Any, like: Any) -> None:
    """The columns of `q` are."""
    eye = np.broadcast_to(np.eye(q.shape[-1]), (*q.shape[:-2], q.shape[-1], q.shape[-1]))
    close(np.conj(turned(q)) @ q, eye, like, "orthonormal columns")


def check_qr(values: Any, x: Any, mode: str = "reduced") -> None:
    """A triangle, an orthonormal basis, and their product."""
    q, r = map(widen, values)
    orthonormal(q, x)
    np.testing.assert_array_equal(r, np.triu(r))
    close(q @ r, widen(x), x, "Q @ R")
    assert q.shape[-1] == (x.shape[-2] if mode == "complete" else min(x.shape[-2:]))


def check_svd(values: Any, x: Any, full_matrices: bool = True) -> None:
    """Two bases, falling values, and the product."""
    u, s, vh = map(widen, values)
    k = s.shape[-1]
    orthonormal(u, x)
    orthonormal(turned(vh), x)
    close(s, np.linalg.svd(widen(x), compute_uv=False), x, "singular values")
    close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], widen(x), x, "U @ S @ V")
    assert u.shape[-1] == (x.shape[-2] if full_matrices else k)


def check_eigh(values: Any, x: Any) -> None:
    """Eigenvalues in order, and a basis of eigenvectors."""
    w, v = map(widen, values)
    orthonormal(v, x)
    close(w, np.linalg.eigvalsh(symmetric(widen(x))), x, "eigenvalues")
    close((v * w[..., None, :]) @ turned(v), symmetric(widen(x)), x, "V @ W @ V.T")


def check_eig(values: Any, x: Any) -> None:
    """Eigenvectors of norm 1, with all eigenvalues in some order."""
    w, v = values
    close(np.linalg.norm(v, axis=-2), np.ones(w.shape), x, "norms")
    close(widen(x) @ v, v * w[..., None, :], x, "x @ V")
    close(np.sort_complex(w).sum(-1), np.trace(widen(x), axis1=-2, axis2=-1) + 0j, x, "trace")
    close(np.prod(w, -1), np.linalg.det(widen(x)) + 0j, x, "determinant")


several = partial(case, dtypes=MATRICES, result_dtype="float", min_size=1, rank=(0, 2))

_ROW, _TALL = array([1.0, 2.0]), array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

_SQUARE = array([[2.0, 1.0], [1.0, 3.0]])


def cdist(x, y):
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x = np.broadcast_to(x, (*batch, *x.shape[-2:])).reshape(-1, *x.shape[-2:])
    y = np.broadcast_to(y, (*batch, *y.shape[-2:])).reshape(-1, *y.shape[-2:])
    pairs = [scipy.spatial.distance.cdist(a, b) for a, b in zip(x, y, strict=True)]
    return np.reshape(pairs, (*batch, x.shape[-2], y.shape[-2]))


LINE = array([1.0, 2.0, 4.0])

SQUARE = array([[1.0, 2.0], [3.0, 4.0]])

CASES: list[Case] = [
    case("trace", tensor("a b"), OFFSET, ref=trace, dtypes=(*ALL, "int8"), result_dtype="sum"),
    case("trace", tensor("a b c"), ref=trace, axis1=OneOf([0, -1]), axis2=1),
    case("inner", tensor("a b c"), tensor("d c"), ref=inner),
    case("inner", tensor("a"), tensor("a"), ref=inner),
    case("inner", tensor(""), tensor("a b"), ref=inner),
    case("inner", tensor("a b"), 2, ref=inner),
    case("vdot", tensor("a b"), tensor("a b"), ref=np.vdot),
    case("vdot", tensor("a b"), tensor("a b"), ref=np.vdot, dtypes=("complex64",)),
    case("kron", tensor("a b"), tensor("c d"), ref=np.kron, min_size=1),
    case("kron", tensor("a"), tensor("b c"), ref=np.kron, min_size=1),
    case(
        "kron",
        tensor("a", dtype="int32"),
        tensor("b"),
        ref=np.kron,
        dtypes=("float32",),
        min_size=1,
    ),
    *(
        case(
            "cross",
            tensor(f"a {m}", static_shape=True),
            tensor(f"a {n}", static_shape=True),
            ref=cross,
        )
        for m in (2, 3)
        for n in (2, 3)
    ),
    case(
        "cross",
        tensor("3 a", static_shape=True),
        tensor("1 3", static_shape=True),
        ref=cross,
        axisa=0,
        axisc=0,
    ),
    case(
        "cross",
        tensor("3 a", static_shape=True),
        tensor("3 a", static_shape=True),
        ref=cross,
        axis=0,
    ),
    # Products
    case("matmul", tensor("... m k"), tensor("... k n"), ref=np.matmul, dtypes=ALL),
    case("matmul", tensor("k"), tensor("... k n"), ref=np.matmul),
    case("matmul", tensor("... m k"), tensor("k"), ref=np.matmul),
    case("matmul", tensor("k"), tensor("k"), ref=np.matmul),
    case("dot", tensor("m k"), tensor("k"), ref=np.dot, dtypes=ALL),
    case("dot", tensor("a m k"), tensor("b k n"), ref=np.dot),
    case("dot", tensor("k"), tensor("k"), ref=np.dot),
    case("dot", tensor("..."), tensor(""), ref=np.dot),
    case("dot", 2.5, tensor("..."), ref=np.dot, dtypes=FLOATS),
    case("outer", tensor("m"), tensor("n"), ref=np.outer, dtypes=ALL),
    case("outer", tensor("a b"), tensor(""), ref=np.outer),
    case("tensordot", tensor("a b c"), tensor("b c d"), ref=np.tensordot, dtypes=ALL),
    case("tensordot", tensor("a b"), tensor("b c"), ref=np.tensordot, axes=1),
    case("tensordot", tensor("a b"), tensor("c"), ref=np.tensordot, axes=0),
    case("tensordot", tensor("a b c"), tensor("c a d"), ref=np.tensordot, axes=[[0, -1], [1, 0]]),
    case("tensordot", tensor("a b"), tensor("b a"), ref=np.tensordot, axes=[0, 1]),
    case("einsum", "bij, bjk -> bki", tensor("b i j"), tensor("b j k"), ref=np.einsum, dtypes=ALL),
    case("einsum", "...i,ij", tensor("... i"), tensor("i j"), ref=np.einsum, rank=(0, 3)),
    case("einsum", "...i,...i->...", tensor("... i"), tensor("... i"), ref=np.einsum, rank=(0, 3)),
    case("einsum", "ij->", tensor("i j"), ref=np.einsum),
    case("einsum", "ii->i", tensor("i i"), ref=np.einsum),
    case("einsum", "i,j,k->kji", tensor("i"), tensor("j"), tensor("k"), ref=np.einsum),
    # Square matrices
    several("cholesky", square(positive), ref=cholesky, upper=OneOf([False, True])),
    several(
        "cholesky_inverse",
        square(),
        ref=cholesky_inverse,
        upper=OneOf([False, True]),
    ),
    several("det", square(), ref=np.linalg.det),
    several("det", array([[1.0, 2.0], [2.0, 4.0]]), ref=np.linalg.det, dtypes=FLOATS),
    several("slogdet", square(), ref=lambda x: tuple(np.linalg.slogdet(x))),
    several(
        "slogdet",
        array([[0.0, 0.0], [0.0, 4.0]]),
        ref=lambda x: (0.0, -np.inf),
        gradient=False,
        dtypes=("float32",),
    ),
    several("logdet", square(), ref=lambda x: np.linalg.slogdet(x)[1]),
    several("inv", square(), ref=np.linalg.inv),
    several("eigh", square(apart), check=check_eigh),
    several(
        "eig",
        square(apart),
        check=check_eig,
        result_dtype="complex64",
        dtypes=("float32", "bfloat16", "int32"),
    ),
    several(
        "eig",
        array([[0.0, 1.0], [-1.0, 0.0]]),
        check=check_eig,
        result_dtype="complex128",
        dtypes=("float64",),
    ),
    # Any matrices
    several(
        "lu_factor",
        tensor("... m n", transform=apart),
        ref=lu_factor,
        result_dtype="float,int32",
        dtypes=("float32", "float64", "int32"),
    ),
    several(
        "lu_factor",
        array([[1.0, 2.0], [2.0, 4.0]]),
        ref=lu_factor,
        result_dtype="float,int32",
        dtypes=FLOATS,
    ),
    several("qr", tensor("... m n"), check=check_qr, mode=OneOf(["reduced", "complete"])),
    several("svd", tensor("... m n"), check=check_svd, full_matrices=OneOf([True, False])),
    several(
        "svd",
        tensor("... m n", transform=apart),
        ref=lambda x, compute_uv: np.linalg.svd(x)[1],
        compute_uv=False,
    ),
    several("pinv", tensor("... m n", transform=apart), ref=np.linalg.pinv),
    several(
        "pinv",
        array([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]]),
        dtypes=FLOATS,
        ref=partial(np.linalg.pinv, rcond=1e-3),
    ),
    # No gradient: with a bound that drops what is not 0, it is another one.
    several(
        "pinv",
        array([[4.0, 0.0], [0.0, 1.0]]),
        ref=np.linalg.pinv,
        rcond=0.5,
        dtypes=FLOATS,
        gradient=False,
    ),
    several(
        "matrix_rank",
        tensor("... m n", transform=apart),
        ref=np.linalg.matrix_rank,
        result_dtype="int32",
    ),
    several(
        "matrix_rank",
        array([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]]),
        ref=np.linalg.matrix_rank,
        result_dtype="int32",
    ),
    several(
        "matrix_rank",
        array([[4.0, 0.0], [0.0, 1.0]]),
        ref=np.linalg.matrix_rank,
        result_dtype="int32",
        tol=OneOf([0.5, 2.0, 5.0]),
    ),
    # Systems
    several("solve", square(), tensor("... n k"), ref=np.linalg.solve),
    several("solve", square(), tensor("n"), ref=np.linalg.solve, rank=(0, 1)),
    several(
        "solve_triangular",
        square(),
        tensor("... n k"),
        ref=solve_triangular,
        lower=OneOf([False, True]),
    ),
    several("solve_triangular", square(), tensor("n"), ref=solve_triangular, rank=(0, 1)),
    several("lstsq", tensor("m n", transform=apart), tensor("m"), ref=lstsq),
    several("lstsq", tensor("m n", transform=apart), tensor("m k"), ref=lstsq),
    several(
        "lstsq",
        array([[4.0, 0.0], [0.0, 1.0]]),
        tensor("2"),
        ref=lstsq,
        rcond=0.5,
        dtypes=FLOATS,
        gradient=False,
    ),
    # Norms
    case(
        "norm",
        tensor("..."),
        ref=norm,
        keepdims=OneOf([False, True]),
        result_dtype="float",
        dtypes=ALL,
    ),
    *(
        case(
            "norm",
            tensor("... n"),
            ref=norm,
            ord=ord,
            axis=axis,
            keepdims=OneOf([False, True]),
            result_dtype="float",
            min_size=1,
            rank=(0, 2),
        )
        for ord in (None, 1, 2, 3, 0.5, 0, -1, np.inf, -np.inf)
        for axis in (-1, (-1,))
    ),
    *(
        case(
            "norm",
            tensor("m b n", transform=apart),
            ref=norm,
            ord=ord,
            axis=axis,
            keepdims=OneOf([False, True]),
            result_dtype="float",
            min_size=1,
        )
        for ord in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
        for axis in ((0, -1), (-1, 0))
    ),
    case(
        "norm",
        tensor("m n", transform=apart),
        ref=norm,
        ord=OneOf(["fro", "nuc", 1, 2, -np.inf]),
        keepdims=OneOf([False, True]),
        result_dtype="float",
        min_size=1,
    ),
    case(
        "norm", tensor("n"), ref=norm, ord=OneOf([1, 3, np.inf]), result_dtype="float", min_size=1
    ),
    case(
        "cdist",
        tensor("m f"),
        tensor("n f"),
        ref=cdist,
        result_dtype="float",
        dtypes=(*NUMBERS, "float64"),
        min_size=1,
    ),
    case(
        "cdist",
        tensor("... m f"),
        tensor("... n f"),
        ref=cdist,
        rank=(0, 2),
        dtypes=("float32",),
        min_size=1,
    ),
    case(
        "cdist",
        array([[1e30, 0.0], [0.0, 0.0]]),
        array([[0.0, 1e30], [1e-30, 1e-30]]),
        ref=cdist,
        dtypes=("float32",),
    ),
]

REFUSALS: list[Refusal] = [
    refusal("inner", array([1, 2]), array([1]), match="last axes of one size"),
    refusal("vdot", array([1, 2]), array([1]), match="the same number of elements"),
    refusal(
        "cross",
        array([True, False]),
        array([True, True]),
        match="ops.cross\n  expected: numbers",
        error=TypeError,
    ),
    refusal("cross", array([1, 2, 3, 4]), array([1, 2, 3]), match="vectors of 2 or 3 elements"),
    refusal("matmul", array(1.0), _ROW, match="ops.matmul\n.*rank 1 or more"),
    refusal("matmul", _TALL, _TALL, match="ops.matmul\n.*2 rows, as many as the first has columns"),
    refusal("tensordot", _TALL, _TALL, match="ops.tensordot\n.*axes of equal sizes", axes=1),
    refusal("einsum", "ij,jk->ik", _TALL, match="ops.einsum\n.*2 tensors, one for each term"),
    refusal("einsum", "ijk->ik", _TALL, match="ops.einsum\n.*a tensor that fits 'ijk'"),
    *(
        refusal(name, x, match=f"ops.{name}\n.*{expected}")
        for name in (
            "cholesky",
            "cholesky_inverse",
            "det",
            "slogdet",
            "logdet",
            "inv",
            "eig",
            "eigh",
        )
        for x, expected in ((_ROW, "rank 2 or more"), (_TALL, "square matrices"))
    ),
    *(
        refusal(name, _ROW, match=f"ops.{name}\n.*rank 2 or more")
        for name in ("lu_factor", "qr", "svd", "pinv", "matrix_rank")
    ),
    refusal("qr", _TALL, match="ops.qr\n.*'reduced' or 'complete'\n.*'full'", mode="full"),
    *(
        refusal(name, a, b, match=f"ops.{name}\n.*{expected}")
        for name in ("solve", "solve_triangular")
        for a, b, expected in (
            (_TALL, _ROW, "square matrices"),
            (_ROW, _ROW, "rank 2 or more"),
            (_SQUARE, _TALL, "a right-hand side of 2 rows"),
            (_SQUARE, array(1.0), "rank 1 or more"),
        )
    ),
    refusal("lstsq", _ROW, _ROW, match="ops.lstsq\n.*a of rank 2, and b of rank 1 or 2"),
    refusal("lstsq", _TALL, _ROW, match="ops.lstsq\n.*a right-hand side of 3 rows"),
    refusal("norm", _TALL, match="ops.norm\n.*a number as ord=", ord=3),
    refusal("norm", _ROW, match="ops.norm\n.*a number as ord=", ord="fro"),
    refusal("norm", array([[[1.0]]]), match="ops.norm\n.*a number as ord=", ord=2),
    refusal("norm", _TALL, match="ops.norm\n.*an axis from -2 to 1", axis=2),
    refusal("cdist", LINE, LINE, match="ops.cdist\n  expected: tensors of shapes"),
    refusal(
        "cdist", SQUARE, array([[1.0, 2.0, 3.0]]), match="ops.cdist\n  expected: tensors of shape"
    ),
]
