"""Matrices: products, decompositions, systems of equations, norms."""

import warnings
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg

from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    A,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)
from keras_fn.testing.conformance.comparing import assert_close, wide

MATRICES = ("float32", "float64", "bfloat16", "int32")

# ---------------------------------------------------------------- matrices to draw


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


def square(make: Any = regular, **fields: Any) -> T:
    """A stack of square matrices."""
    return T("... n n", make=make, **fields)


# ---------------------------------------------------------------- references and checks


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
    q, r = map(wide, values)
    orthonormal(q, x)
    np.testing.assert_array_equal(r, np.triu(r))
    close(q @ r, wide(x), x, "Q @ R")
    assert q.shape[-1] == (x.shape[-2] if mode == "complete" else min(x.shape[-2:]))


def check_svd(values: Any, x: Any, full_matrices: bool = True) -> None:
    """Two bases, falling values, and the product."""
    u, s, vh = map(wide, values)
    k = s.shape[-1]
    orthonormal(u, x)
    orthonormal(turned(vh), x)
    close(s, np.linalg.svd(wide(x), compute_uv=False), x, "singular values")
    close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], wide(x), x, "U @ S @ V")
    assert u.shape[-1] == (x.shape[-2] if full_matrices else k)


def check_eigh(values: Any, x: Any) -> None:
    """Eigenvalues in order, and a basis of eigenvectors."""
    w, v = map(wide, values)
    orthonormal(v, x)
    close(w, np.linalg.eigvalsh(symmetric(wide(x))), x, "eigenvalues")
    close((v * w[..., None, :]) @ turned(v), symmetric(wide(x)), x, "V @ W @ V.T")


def check_eig(values: Any, x: Any) -> None:
    """Eigenvectors of norm 1, with all eigenvalues in some order."""
    w, v = values
    close(np.linalg.norm(v, axis=-2), np.ones(w.shape), x, "norms")
    close(wide(x) @ v, v * w[..., None, :], x, "x @ V")
    close(np.sort_complex(w).sum(-1), np.trace(wide(x), axis1=-2, axis2=-1) + 0j, x, "trace")
    close(np.prod(w, -1), np.linalg.det(wide(x)) + 0j, x, "determinant")


# ---------------------------------------------------------------- the table

several = partial(case, dtypes=MATRICES, result="float", least=1, rank=(0, 2))

CASES: list[Case] = [
    # Products
    case("matmul", T("... m k"), T("... k n"), ref=np.matmul, dtypes=ALL),
    case("matmul", T("k"), T("... k n"), ref=np.matmul),
    case("matmul", T("... m k"), T("k"), ref=np.matmul),
    case("matmul", T("k"), T("k"), ref=np.matmul),
    case("dot", T("m k"), T("k"), ref=np.dot, dtypes=ALL),
    case("dot", T("a m k"), T("b k n"), ref=np.dot),
    case("dot", T("k"), T("k"), ref=np.dot),
    case("dot", T("..."), T(""), ref=np.dot),
    case("dot", 2.5, T("..."), ref=np.dot, dtypes=FLOATS),
    case("outer", T("m"), T("n"), ref=np.outer, dtypes=ALL),
    case("outer", T("a b"), T(""), ref=np.outer),
    case("tensordot", T("a b c"), T("b c d"), ref=np.tensordot, dtypes=ALL),
    case("tensordot", T("a b"), T("b c"), ref=np.tensordot, axes=1),
    case("tensordot", T("a b"), T("c"), ref=np.tensordot, axes=0),
    case("tensordot", T("a b c"), T("c a d"), ref=np.tensordot, axes=[[0, -1], [1, 0]]),
    case("tensordot", T("a b"), T("b a"), ref=np.tensordot, axes=[0, 1]),
    case("einsum", "bij, bjk -> bki", T("b i j"), T("b j k"), ref=np.einsum, dtypes=ALL),
    case("einsum", "...i,ij", T("... i"), T("i j"), ref=np.einsum, rank=(0, 3)),
    case("einsum", "...i,...i->...", T("... i"), T("... i"), ref=np.einsum, rank=(0, 3)),
    case("einsum", "ij->", T("i j"), ref=np.einsum),
    case("einsum", "ii->i", T("i i"), ref=np.einsum),
    case("einsum", "i,j,k->kji", T("i"), T("j"), T("k"), ref=np.einsum),
    # Square matrices
    several("cholesky", square(positive), ref=cholesky, upper=OneOf([False, True])),
    several(
        "cholesky_inverse", square(), ref=cholesky_inverse, upper=OneOf([False, True]),
    ),
    several("det", square(), ref=np.linalg.det),
    several("det", A([[1.0, 2.0], [2.0, 4.0]]), ref=np.linalg.det, dtypes=FLOATS),
    several("slogdet", square(), ref=lambda x: tuple(np.linalg.slogdet(x))),
    several("slogdet", A([[0.0, 0.0], [0.0, 4.0]]), ref=lambda x: (0.0, -np.inf), gradient=False,
            dtypes=("float32",)),
    several("logdet", square(), ref=lambda x: np.linalg.slogdet(x)[1]),
    several("inv", square(), ref=np.linalg.inv),
    several("eigh", square(apart), check=check_eigh),
    several("eig", square(apart), check=check_eig, result="complex64",
            dtypes=("float32", "bfloat16", "int32")),
    several("eig", A([[0.0, 1.0], [-1.0, 0.0]]), check=check_eig, result="complex128",
            dtypes=("float64",)),
    # Any matrices
    several("lu_factor", T("... m n", make=apart), ref=lu_factor, result="float,int32",
            dtypes=("float32", "float64", "int32")),
    several("lu_factor", A([[1.0, 2.0], [2.0, 4.0]]), ref=lu_factor, result="float,int32",
            dtypes=FLOATS),
    several("qr", T("... m n"), check=check_qr, mode=OneOf(["reduced", "complete"])),
    several("svd", T("... m n"), check=check_svd, full_matrices=OneOf([True, False])),
    several("svd", T("... m n", make=apart), ref=lambda x, compute_uv: np.linalg.svd(x)[1],
            compute_uv=False),
    several("pinv", T("... m n", make=apart), ref=np.linalg.pinv),
    several("pinv", A([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]]), dtypes=FLOATS,
            ref=partial(np.linalg.pinv, rcond=1e-3)),
    # No gradient: with a bound that drops what is not 0, it is another one.
    several("pinv", A([[4.0, 0.0], [0.0, 1.0]]), ref=np.linalg.pinv, rcond=0.5, dtypes=FLOATS,
            gradient=False),
    several("matrix_rank", T("... m n", make=apart), ref=np.linalg.matrix_rank, result="int32"),
    several("matrix_rank", A([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]]),
            ref=np.linalg.matrix_rank, result="int32"),
    several("matrix_rank", A([[4.0, 0.0], [0.0, 1.0]]), ref=np.linalg.matrix_rank,
            result="int32", tol=OneOf([0.5, 2.0, 5.0])),
    # Systems
    several("solve", square(), T("... n k"), ref=np.linalg.solve),
    several("solve", square(), T("n"), ref=np.linalg.solve, rank=(0, 1)),
    several("solve_triangular", square(), T("... n k"), ref=solve_triangular,
            lower=OneOf([False, True])),
    several("solve_triangular", square(), T("n"), ref=solve_triangular, rank=(0, 1)),
    several("lstsq", T("m n", make=apart), T("m"), ref=lstsq),
    several("lstsq", T("m n", make=apart), T("m k"), ref=lstsq),
    several("lstsq", A([[4.0, 0.0], [0.0, 1.0]]), T("2"), ref=lstsq, rcond=0.5, dtypes=FLOATS,
            gradient=False),
    # Norms
    case("norm", T("..."), ref=norm, keepdims=OneOf([False, True]), result="float", dtypes=ALL),
    *(
        case("norm", T("... n"), ref=norm, ord=ord, axis=axis, keepdims=OneOf([False, True]),
             result="float", least=1, rank=(0, 2))
        for ord in (None, 1, 2, 3, 0.5, 0, -1, np.inf, -np.inf) for axis in (-1, (-1,))
    ),
    *(
        case("norm", T("m b n", make=apart), ref=norm, ord=ord, axis=axis,
             keepdims=OneOf([False, True]), result="float", least=1)
        for ord in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
        for axis in ((0, -1), (-1, 0))
    ),
    case("norm", T("m n", make=apart), ref=norm, ord=OneOf(["fro", "nuc", 1, 2, -np.inf]),
         keepdims=OneOf([False, True]), result="float", least=1),
    case("norm", T("n"), ref=norm, ord=OneOf([1, 3, np.inf]), result="float", least=1),
]  # fmt: skip

_ROW, _TALL = A([1.0, 2.0]), A([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
_SQUARE = A([[2.0, 1.0], [1.0, 3.0]])

REFUSALS: list[Refusal] = [
    refusal("matmul", A(1.0), _ROW, match="ops.matmul\n.*rank 1 or more"),
    refusal("matmul", _TALL, _TALL, match="ops.matmul\n.*2 rows, as the first has 2 columns"),
    refusal("tensordot", _TALL, _TALL, match="ops.tensordot\n.*axes of equal sizes", axes=1),
    refusal("einsum", "ij,jk->ik", _TALL, match="ops.einsum\n.*2 tensors, one for each term"),
    refusal("einsum", "ijk->ik", _TALL, match="ops.einsum\n.*a tensor that fits 'ijk'"),
    *(
        refusal(name, x, match=f"ops.{name}\n.*{expected}")
        for name in (
            "cholesky", "cholesky_inverse", "det", "slogdet", "logdet", "inv", "eig", "eigh",
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
            (_TALL, _ROW, "square matrices"), (_ROW, _ROW, "rank 2 or more"),
            (_SQUARE, _TALL, "a right-hand side of 2 rows"), (_SQUARE, A(1.0), "rank 1 or more"),
        )
    ),
    refusal("lstsq", _ROW, _ROW, match="ops.lstsq\n.*a matrix, and a vector or a matrix"),
    refusal("lstsq", _TALL, _ROW, match="ops.lstsq\n.*a right-hand side of 3 rows"),
    refusal("norm", _TALL, match="ops.norm\n.*a number as ord=", ord=3),
    refusal("norm", _ROW, match="ops.norm\n.*a number as ord=", ord="fro"),
    refusal("norm", A([[[1.0]]]), match="ops.norm\n.*a number as ord=", ord=2),
    refusal("norm", _TALL, match="ops.norm\n.*an axis from -2 to 1", axis=2),
]  # fmt: skip
