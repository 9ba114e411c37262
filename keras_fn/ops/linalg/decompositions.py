"""Matrix decompositions: Cholesky, LU, QR, SVD, eigenvalues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.linalg_errors import REAL, complex_type
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.types import Tensor, TensorLike

# ---------------------------------------------------------------- rules


def _matrix(x: Any, source: str) -> tuple[Shape, int | None, int | None]:
    """Returns the axes before the matrices, and their rows and columns."""
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise SpecError(
            source,
            expected="a matrix, or a stack of them: a tensor of rank 2 or more",
            received=f"shape {shape}",
            fix="add the axes that are missing",
        )
    return shape[:-2], shape[-2], shape[-1]


def _square(x: Any, source: str) -> tuple[Shape, int | None]:
    """Returns the axes before the matrices, and their size."""
    batch, rows, columns = _matrix(x, source)
    if None not in (rows, columns) and rows != columns:
        raise SpecError(
            source,
            expected="square matrices: the last two sizes are equal",
            received=f"shape {tuple(x.shape)}",
            fix="check the last two axes",
        )
    return batch, columns if rows is None else rows


def _of_square(source: str, result: Callable[[Shape, int | None, str], Any]) -> Rule:
    """A rule for an op of one square matrix; `result` gets batch axes, size and dtype."""

    def infer(x: TensorSpec, **_: Any) -> Any:
        return result(*_square(x, source), dtypes.float_type(x.dtype))

    return Rule(infer, promote=dtypes.float_type)


def _same_square(x: TensorSpec, source: str) -> TensorSpec:
    batch, size = _square(x, source)
    return TensorSpec((*batch, size, size), dtypes.float_type(x.dtype))


def _real(dtype: str) -> str:
    return REAL.get(dtype, dtype)


def _smaller(rows: int | None, columns: int | None) -> int | None:
    return None if rows is None or columns is None else min(rows, columns)


# ---------------------------------------------------------------- square matrices


@op(rule=Rule(lambda x, upper=False: _same_square(x, "ops.cholesky"), promote=dtypes.float_type))
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """Triangular L with `x = L @ L.T`, for symmetric positive definite `x`.

    Of a matrix that is not quite symmetric, the mean of it and its transpose is taken.

    Args:
        x: Tensor of shape `(..., m, m)`.
        upper: Whether to return the upper triangular `L.T` in place of L.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ValueError: The matrix is not square, or not positive definite.

    Example:
        >>> convert_to_numpy(cholesky([[4.0, 2.0], [2.0, 5.0]])).tolist()
        [[2.0, 0.0], [1.0, 2.0]]
    """
    ...


def _eig(batch: Shape, size: int | None, dtype: str) -> tuple[TensorSpec, TensorSpec]:
    dtype = complex_type(dtype)
    return TensorSpec((*batch, size), dtype), TensorSpec((*batch, size, size), dtype)


@op(rule=_of_square("ops.eig", _eig))
def eig(x: TensorLike) -> Any:
    """Eigenvalues and eigenvectors of any square matrix: `x @ v = v * w`.

    The order of the eigenvalues is not defined, nor the phase of the eigenvectors; their norm
    is 1. The gradient is that of functions which do not depend on the phases.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        `(w, v)`, complex also for a real `x`: eigenvalues of shape `(..., m)`, and eigenvectors
        of shape `(..., m, m)`, one a column.

    Example:
        >>> w, v = eig([[0.0, 1.0], [-1.0, 0.0]])
        >>> sorted(convert_to_numpy(w).imag.tolist())
        [-1.0, 1.0]
    """
    ...


def _eigh(batch: Shape, size: int | None, dtype: str) -> tuple[TensorSpec, TensorSpec]:
    return TensorSpec((*batch, size), _real(dtype)), TensorSpec((*batch, size, size), dtype)


@op(rule=_of_square("ops.eigh", _eigh))
def eigh(x: TensorLike) -> Any:
    """Eigenvalues and eigenvectors of a symmetric (Hermitian) matrix: `x @ v = v * w`.

    Of a matrix that is not quite symmetric, the mean of it and its transpose is taken. The sign
    of each eigenvector is not defined.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        `(w, v)`: eigenvalues of shape `(..., m)`, real and in rising order, and orthonormal
        eigenvectors of shape `(..., m, m)`, one a column.

    Example:
        >>> convert_to_numpy(eigh([[2.0, 0.0], [0.0, 1.0]])[0]).tolist()
        [1.0, 2.0]
    """
    ...


# ---------------------------------------------------------------- factors of any matrix


def _lu_factor(x: TensorSpec) -> tuple[TensorSpec, TensorSpec]:
    batch, rows, columns = _matrix(x, "ops.lu_factor")
    pivots = TensorSpec((*batch, _smaller(rows, columns)), "int32")
    return TensorSpec(x.shape, dtypes.float_type(x.dtype)), pivots


@op(rule=Rule(_lu_factor, promote=dtypes.float_type))
def lu_factor(x: TensorLike) -> Any:
    """Factors L and U of `x`, with its rows exchanged (partial pivoting).

    Args:
        x: Tensor of shape `(..., m, n)`.

    Returns:
        `(lu, pivots)`: U in the upper triangle of `lu` and L, whose diagonal is 1, below it;
        and int32 of shape `(..., min(m, n))`: row i was exchanged with row `pivots[i]`, one after
        the other.

    Example:
        >>> lu, pivots = lu_factor([[1.0, 2.0], [4.0, 4.0]])
        >>> convert_to_numpy(lu).tolist(), convert_to_numpy(pivots).tolist()
        ([[4.0, 4.0], [0.25, 1.0]], [1, 1])
    """
    ...


def _qr(x: TensorSpec, mode: str = "reduced") -> tuple[TensorSpec, TensorSpec]:
    batch, rows, columns = _matrix(x, "ops.qr")
    if mode not in ("reduced", "complete"):
        raise SpecError(
            "ops.qr",
            expected="mode 'reduced' or 'complete'",
            received=f"{mode!r}",
            fix="check mode=",
        )
    inner = _smaller(rows, columns) if mode == "reduced" else rows
    dtype = dtypes.float_type(x.dtype)
    return TensorSpec((*batch, rows, inner), dtype), TensorSpec((*batch, inner, columns), dtype)


@op(rule=Rule(_qr, promote=dtypes.float_type))
def qr(x: TensorLike, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and an upper triangular R such that `x = Q @ R`.

    The sign of each column of Q, and of the row of R that belongs to it, is not defined.

    Args:
        x: Tensor of shape `(..., m, n)`.
        mode: `"reduced"`, or `"complete"` for a square Q. The columns that this adds are not
            defined, so the complete form of a matrix with more rows than columns has no gradient.

    Returns:
        `(Q, R)` of shapes `(..., m, k)` and `(..., k, n)`, where k is `min(m, n)`, or m.

    Example:
        >>> q, r = qr([[3.0, 1.0], [4.0, 2.0]])
        >>> bool(np.allclose(convert_to_numpy(matmul(q, r)), [[3.0, 1.0], [4.0, 2.0]]))
        True
    """
    ...


def _svd(x: TensorSpec, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    batch, rows, columns = _matrix(x, "ops.svd")
    dtype, inner = dtypes.float_type(x.dtype), _smaller(rows, columns)
    values = TensorSpec((*batch, inner), _real(dtype))
    if not compute_uv:
        return values
    left, right = (rows, columns) if full_matrices else (inner, inner)
    return (
        TensorSpec((*batch, rows, left), dtype),
        values,
        TensorSpec((*batch, right, columns), dtype),
    )


@op(rule=Rule(_svd, promote=dtypes.float_type))
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition `x = U @ diag(S) @ V`.

    The columns of U, with the rows of V, are defined up to their sign. Those that
    `full_matrices` adds are any that complete the basis: their gradient is 0.

    Args:
        x: Tensor of shape `(..., m, n)`.
        full_matrices: Whether U and V are square, else they have `min(m, n)` columns and rows.
        compute_uv: Whether to return U and V.

    Returns:
        `(U, S, V)`, or S alone: of shapes `(..., m, m)`, `(..., k)`, `(..., n, n)`, where k is
        `min(m, n)`; S falls.

    Example:
        >>> convert_to_numpy(svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False)).tolist()
        [4.0, 3.0]
    """
    ...
