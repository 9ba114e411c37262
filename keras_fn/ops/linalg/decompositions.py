"""Matrix decompositions: Cholesky, LU, QR, SVD, eigenvalues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.linalg_errors import REAL, complex_type
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.types import Tensor, TensorLike


def split_matrix_shape(x: Any, source: str) -> tuple[Shape, int | None, int | None]:
    """Returns the batch axes of matrices, and their numbers of rows and columns.

    Args:
        x: A tensor or spec.
        source: Name of the op, for errors.

    Raises:
        SpecError: It has fewer than two axes.
    """
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise SpecError(
            source,
            expected="a matrix, or a stack of them: a tensor of rank 2 or more",
            received=f"shape {shape}",
            fix="add axes with ops.expand_dims",
        )
    return shape[:-2], shape[-2], shape[-1]


def split_square_shape(x: Any, source: str) -> tuple[Shape, int | None]:
    """Returns the batch axes of square matrices, and their size.

    Args:
        x: A tensor or spec.
        source: Name of the op, for errors.

    Raises:
        SpecError: The matrices are not square.
    """
    batch, rows, columns = split_matrix_shape(x, source)
    if None not in (rows, columns) and rows != columns:
        raise SpecError(
            source,
            expected="square matrices: the last two sizes are equal",
            received=f"shape {tuple(x.shape)}",
            fix="check the last two axes",
        )
    return batch, columns if rows is None else rows


def square_matrix_rule(source: str, result: Callable[[Shape, int | None, str], Any]) -> Rule:
    """Returns the rule of an op on one square matrix.

    Args:
        source: Name of the op, for errors.
        result: Takes the batch axes, the size and the dtype; returns the specs of the result.
    """

    def infer(x: TensorSpec, **_: Any) -> Any:
        return result(*split_square_shape(x, source), dtypes.float_type(x.dtype))

    return Rule(infer, promote=dtypes.float_type)


def same_square_spec(x: TensorSpec, source: str) -> TensorSpec:
    batch, size = split_square_shape(x, source)
    return TensorSpec((*batch, size, size), dtypes.float_type(x.dtype))


def real_dtype(dtype: str) -> str:
    return REAL.get(dtype, dtype)


def _min_size(rows: int | None, columns: int | None) -> int | None:
    return None if rows is None or columns is None else min(rows, columns)


@op(
    rule=Rule(lambda x, upper=False: same_square_spec(x, "ops.cholesky"), promote=dtypes.float_type)
)
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """Cholesky decomposition `x = L @ L.T` of a symmetric positive definite matrix.

    A matrix that is not exactly symmetric is replaced by the mean of it and its transpose.

    Args:
        x: Tensor of shape `(..., m, m)`.
        upper: Whether to return the upper triangular `L.T` instead of L.

    Returns:
        Lower triangular L: a tensor of the shape of `x`, of a float dtype.

    Raises:
        ValueError: The matrix is not square, or not positive definite.

    Example:
        >>> convert_to_numpy(cholesky([[4.0, 2.0], [2.0, 5.0]])).tolist()
        [[2.0, 0.0], [1.0, 2.0]]
    """
    ...


def _eig_spec(batch: Shape, size: int | None, dtype: str) -> tuple[TensorSpec, TensorSpec]:
    dtype = complex_type(dtype)
    return TensorSpec((*batch, size), dtype), TensorSpec((*batch, size, size), dtype)


@op(rule=square_matrix_rule("ops.eig", _eig_spec))
def eig(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigendecomposition of a square matrix: `x @ v = v * w`.

    The order of the eigenvalues and the phases of the eigenvectors are undefined; the eigenvectors
    have norm 1. The gradient is valid for functions that do not depend on the phases.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        `(w, v)`, complex also for real `x`: eigenvalues of shape `(..., m)`, and eigenvectors of
        shape `(..., m, m)`, in columns.

    Raises:
        ValueError: The matrix is not square.

    Example:
        >>> w, v = eig([[0.0, 1.0], [-1.0, 0.0]])
        >>> sorted(convert_to_numpy(w).imag.tolist())
        [-1.0, 1.0]
    """
    ...


def _eigh_spec(batch: Shape, size: int | None, dtype: str) -> tuple[TensorSpec, TensorSpec]:
    return TensorSpec((*batch, size), real_dtype(dtype)), TensorSpec((*batch, size, size), dtype)


@op(rule=square_matrix_rule("ops.eigh", _eigh_spec))
def eigh(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigendecomposition of a symmetric (Hermitian) matrix: `x @ v = v * w`.

    A matrix that is not exactly symmetric is replaced by the mean of it and its transpose. The
    signs of the eigenvectors are undefined.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        `(w, v)`: real eigenvalues of shape `(..., m)` in ascending order, and orthonormal
        eigenvectors of shape `(..., m, m)`, in columns.

    Raises:
        ValueError: The matrix is not square.

    Example:
        >>> convert_to_numpy(eigh([[2.0, 0.0], [0.0, 1.0]])[0]).tolist()
        [1.0, 2.0]
    """
    ...


def _lu_factor_spec(x: TensorSpec) -> tuple[TensorSpec, TensorSpec]:
    batch, rows, columns = split_matrix_shape(x, "ops.lu_factor")
    pivots = TensorSpec((*batch, _min_size(rows, columns)), "int32")
    return TensorSpec(x.shape, dtypes.float_type(x.dtype)), pivots


@op(rule=Rule(_lu_factor_spec, promote=dtypes.float_type))
def lu_factor(x: TensorLike) -> tuple[Tensor, Tensor]:
    """LU decomposition with partial pivoting.

    Args:
        x: Tensor of shape `(..., m, n)`.

    Returns:
        `(lu, pivots)`: U in the upper triangle of `lu`, and L without its unit diagonal below it;
        int32 pivots of shape `(..., min(m, n))`: row i was interchanged with row `pivots[i]`, one
        after the other.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> lu, pivots = lu_factor([[1.0, 2.0], [4.0, 4.0]])
        >>> convert_to_numpy(lu).tolist(), convert_to_numpy(pivots).tolist()
        ([[4.0, 4.0], [0.25, 1.0]], [1, 1])
    """
    ...


def _qr_spec(x: TensorSpec, mode: str = "reduced") -> tuple[TensorSpec, TensorSpec]:
    batch, rows, columns = split_matrix_shape(x, "ops.qr")
    if mode not in ("reduced", "complete"):
        raise SpecError(
            "ops.qr",
            expected="mode 'reduced' or 'complete'",
            received=f"{mode!r}",
            fix="check mode=",
        )
    inner = _min_size(rows, columns) if mode == "reduced" else rows
    dtype = dtypes.float_type(x.dtype)
    return TensorSpec((*batch, rows, inner), dtype), TensorSpec((*batch, inner, columns), dtype)


@op(rule=Rule(_qr_spec, promote=dtypes.float_type))
def qr(x: TensorLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """QR decomposition `x = Q @ R`: Q has orthonormal columns, R is upper triangular.

    The signs of the columns of Q, and of the corresponding rows of R, are undefined.

    Args:
        x: Tensor of shape `(..., m, n)`.
        mode: `"reduced"`, or `"complete"` for a square Q. The additional columns are arbitrary, so
            the complete form of a matrix with more rows than columns has no gradient.

    Returns:
        `(Q, R)` of shapes `(..., m, k)` and `(..., k, n)`, where k is `min(m, n)`, or m.

    Raises:
        ValueError: `x` has fewer than two axes, or the mode is unknown.

    Example:
        >>> q, r = qr([[3.0, 1.0], [4.0, 2.0]])
        >>> bool(np.allclose(convert_to_numpy(matmul(q, r)), [[3.0, 1.0], [4.0, 2.0]]))
        True
    """
    ...


def _svd_spec(x: TensorSpec, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    batch, rows, columns = split_matrix_shape(x, "ops.svd")
    dtype, inner = dtypes.float_type(x.dtype), _min_size(rows, columns)
    values = TensorSpec((*batch, inner), real_dtype(dtype))
    if not compute_uv:
        return values
    left, right = (rows, columns) if full_matrices else (inner, inner)
    return (
        TensorSpec((*batch, rows, left), dtype),
        values,
        TensorSpec((*batch, right, columns), dtype),
    )


@overload
def svd(
    x: TensorLike, full_matrices: bool = ..., compute_uv: Literal[True] = ...
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def svd(x: TensorLike, full_matrices: bool = ..., *, compute_uv: Literal[False]) -> Tensor: ...
@op(rule=Rule(_svd_spec, promote=dtypes.float_type))
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition `x = U @ diag(S) @ V`.

    The columns of U, with the rows of V, are defined up to their sign. The ones that
    `full_matrices` adds complete the basis arbitrarily: their gradient is 0.

    Args:
        x: Tensor of shape `(..., m, n)`.
        full_matrices: Whether U and V are square; else they have `min(m, n)` columns and rows.
        compute_uv: Whether to return U and V.

    Returns:
        `(U, S, V)`, or S alone, of shapes `(..., m, m)`, `(..., k)`, `(..., n, n)`, where k is
        `min(m, n)`. The singular values S are in descending order.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> convert_to_numpy(svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False)).tolist()
        [4.0, 3.0]
    """
    ...
