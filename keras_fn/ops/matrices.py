"""Decompositions of matrices, and systems of equations.

All ops work on stacks of matrices, which stand in the last two axes. Half-precision matrices are
computed in float32. Where values cannot be accepted (a singular matrix), a call on concrete
tensors raises on every backend; a compiled function cannot, and gives NaN or infinities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.matrices import REAL, complex_type, cutoff
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op
from keras_fn.ops._rules import broadcast
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import greater, maximum, multiply
from keras_fn.ops.complex_numbers import conjugate
from keras_fn.ops.core import cast
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import eye
from keras_fn.ops.products import matmul
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.shapes import swapaxes

# ---------------------------------------------------------------- rules


def _matrix(x: Any, who: str) -> tuple[Shape, int | None, int | None]:
    """Returns the axes before the matrices, and their rows and columns."""
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise SpecError(
            who,
            expected="a matrix, or a stack of them: a tensor of rank 2 or more",
            given=f"shape {shape}",
            fix="add the axes that are missing",
        )
    return shape[:-2], shape[-2], shape[-1]


def _square(x: Any, who: str) -> tuple[Shape, int | None]:
    """Returns the axes before the matrices, and their size."""
    batch, rows, columns = _matrix(x, who)
    if None not in (rows, columns) and rows != columns:
        raise SpecError(
            who,
            expected="square matrices: the last two sizes are equal",
            given=f"shape {tuple(x.shape)}",
            fix="check the last two axes",
        )
    return batch, columns if rows is None else rows


def _of_square(who: str, result: Callable[[Shape, int | None, str], Any]) -> Rule:
    """A rule for an op of one square matrix; `result` gets batch axes, size and dtype."""

    def infer(x: Spec, **_: Any) -> Any:
        return result(*_square(x, who), dtypes.float_type(x.dtype))

    return Rule(infer, operands=dtypes.float_type)


def _same_square(x: Spec, who: str) -> Spec:
    batch, size = _square(x, who)
    return Spec((*batch, size, size), dtypes.float_type(x.dtype))


def _real(dtype: str) -> str:
    return REAL.get(dtype, dtype)


def _smaller(rows: int | None, columns: int | None) -> int | None:
    return None if rows is None or columns is None else min(rows, columns)


# ---------------------------------------------------------------- square matrices


@op(rule=Rule(lambda x, upper=False: _same_square(x, "ops.cholesky"), operands=dtypes.float_type))
def cholesky(x: Tensor, upper: bool = False) -> Tensor:
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


@op(
    rule=Rule(
        lambda x, upper=False: _same_square(x, "ops.cholesky_inverse"),
        operands=dtypes.float_type,
        eager=True,
    )
)
def cholesky_inverse(x: Tensor, upper: bool = False) -> Tensor:
    """Inverse of a symmetric positive definite matrix, from its Cholesky factor.

    Args:
        x: The factor, as `cholesky` returns it: tensor of shape `(..., m, m)`.
        upper: Whether it is upper triangular.

    Returns:
        The inverse of `x @ x.T` (of `x.T @ x` if `upper`), a tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(cholesky_inverse([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.25, 0.0], [0.0, 0.0625]]
    """
    _square(x, "ops.cholesky_inverse")
    inverse = solve_triangular(x, eye(shape_of(x)[-1], dtype=x.dtype), lower=not upper)
    turned = conjugate(swapaxes(inverse, -1, -2))
    return matmul(inverse, turned) if upper else matmul(turned, inverse)


@op(rule=_of_square("ops.det", lambda batch, _, dtype: Spec(batch, dtype)))
def det(x: Tensor) -> Tensor:
    """Determinant.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        A tensor of shape `(...)`; 0 for a singular matrix.

    Example:
        >>> float(det([[2.0, 1.0], [0.0, 3.0]]))
        6.0
    """


@op(
    rule=_of_square(
        "ops.slogdet", lambda batch, _, dtype: (Spec(batch, dtype), Spec(batch, _real(dtype)))
    )
)
def slogdet(x: Tensor) -> Any:
    """Sign of the determinant, and the logarithm of its absolute value.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        `(sign, logarithm)`, both of shape `(...)`; `(0, -inf)` for a singular matrix.

    Example:
        >>> [f"{float(v):.3f}" for v in slogdet([[0.0, 2.0], [3.0, 0.0]])]
        ['-1.000', '1.792']
    """


@op
def logdet(x: Tensor) -> Tensor:
    """Logarithm of the absolute value of the determinant.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        A tensor of shape `(...)`; -inf for a singular matrix.

    Example:
        >>> print(f"{float(logdet([[2.0, 0.0], [0.0, 3.0]])):.3f}")
        1.792
    """
    _square(x, "ops.logdet")
    return slogdet(x)[1]


def _eig(batch: Shape, size: int | None, dtype: str) -> tuple[Spec, Spec]:
    dtype = complex_type(dtype)
    return Spec((*batch, size), dtype), Spec((*batch, size, size), dtype)


@op(rule=_of_square("ops.eig", _eig))
def eig(x: Tensor) -> Any:
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


def _eigh(batch: Shape, size: int | None, dtype: str) -> tuple[Spec, Spec]:
    return Spec((*batch, size), _real(dtype)), Spec((*batch, size, size), dtype)


@op(rule=_of_square("ops.eigh", _eigh))
def eigh(x: Tensor) -> Any:
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


@op(rule=Rule(lambda x: _same_square(x, "ops.inv"), operands=dtypes.float_type))
def inv(x: Tensor) -> Tensor:
    """Inverse.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ValueError: The matrix is not square, or singular.

    Example:
        >>> convert_to_numpy(inv([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """


# ---------------------------------------------------------------- factors of any matrix


def _lu_factor(x: Spec) -> tuple[Spec, Spec]:
    batch, rows, columns = _matrix(x, "ops.lu_factor")
    pivots = Spec((*batch, _smaller(rows, columns)), "int32")
    return Spec(x.shape, dtypes.float_type(x.dtype)), pivots


@op(rule=Rule(_lu_factor, operands=dtypes.float_type))
def lu_factor(x: Tensor) -> Any:
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


def _qr(x: Spec, mode: str = "reduced") -> tuple[Spec, Spec]:
    batch, rows, columns = _matrix(x, "ops.qr")
    if mode not in ("reduced", "complete"):
        raise SpecError(
            "ops.qr", expected="mode 'reduced' or 'complete'", given=f"{mode!r}", fix="check mode="
        )
    inner = _smaller(rows, columns) if mode == "reduced" else rows
    dtype = dtypes.float_type(x.dtype)
    return Spec((*batch, rows, inner), dtype), Spec((*batch, inner, columns), dtype)


@op(rule=Rule(_qr, operands=dtypes.float_type))
def qr(x: Tensor, mode: str = "reduced") -> Any:
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


def _svd(x: Spec, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    batch, rows, columns = _matrix(x, "ops.svd")
    dtype, inner = dtypes.float_type(x.dtype), _smaller(rows, columns)
    values = Spec((*batch, inner), _real(dtype))
    if not compute_uv:
        return values
    left, right = (rows, columns) if full_matrices else (inner, inner)
    return Spec((*batch, rows, left), dtype), values, Spec((*batch, right, columns), dtype)


@op(rule=Rule(_svd, operands=dtypes.float_type))
def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
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


def _pinv(x: Spec, rcond: float | None = None) -> Spec:
    batch, rows, columns = _matrix(x, "ops.pinv")
    return Spec((*batch, columns, rows), dtypes.float_type(x.dtype))


@op(rule=Rule(_pinv, operands=dtypes.float_type))
def pinv(x: Tensor, rcond: float | None = None) -> Tensor:
    """Pseudoinverse (Moore-Penrose), from the singular values that are not about 0.

    Args:
        x: Tensor of shape `(..., m, n)`.
        rcond: A singular value counts as 0 up to this multiple of the largest;
            `10 * max(m, n) * eps` by default.

    Returns:
        A tensor of shape `(..., n, m)`. Its gradient supposes that what counts as 0 is 0.

    Example:
        >>> print(convert_to_numpy(pinv([[2.0], [0.0]])).round(3))
        [[0.5 0. ]]

    References:
        Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
        problems whose variables separate", 1973: the gradient.
    """


@op
def matrix_rank(x: Tensor, tol: float | None = None) -> Tensor:
    """Number of singular values that are greater than `tol`.

    Args:
        x: Tensor of shape `(..., m, n)`.
        tol: The bound; `max(m, n) * eps` times the largest singular value by default.

    Returns:
        A tensor of int32 of shape `(...)`.

    Example:
        >>> int(matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    _matrix(x, "ops.matrix_rank")
    values = svd(x, compute_uv=False)
    if tol is None:
        rows, columns = shape_of(x)[-2:]
        unit = cutoff(dtypes.float_type(x.dtype), 1, 1)
        tol = multiply(values[..., :1], multiply(maximum(rows, columns), unit))
    return sum_(cast(greater(values, tol), "int32"), -1)


# ---------------------------------------------------------------- systems of equations


def _solve(a: Spec, b: Spec, who: str) -> Spec:
    batch, size = _square(a, who)
    vector = len(b.shape) == 1
    if not b.shape:
        raise SpecError(
            who, expected="a right-hand side of rank 1 or more", given="a number",
            fix="give a vector, or a matrix with a right-hand side in each column",
        )  # fmt: skip
    rows = b.shape[-1 if vector else -2]
    if None not in (size, rows) and size != rows:
        raise SpecError(
            who,
            expected=f"a right-hand side of {size} rows, as the matrix has",
            given=f"shapes {a.shape} and {b.shape}",
            fix="a vector has rank 1; of a stack of vectors, make matrices of one column",
        )
    size = rows if size is None else size
    dtype = dtypes.float_type(a.dtype, b.dtype)
    if vector:
        return Spec((*batch, size), dtype)
    return Spec((*broadcast(batch, b.shape[:-2], who=who), size, b.shape[-1]), dtype)


@op(rule=Rule(lambda a, b: _solve(a, b, "ops.solve"), operands=dtypes.float_type))
def solve(a: Tensor, b: Tensor) -> Tensor:
    """The x with `a @ x = b`.

    Args:
        a: Tensor of shape `(..., m, m)`.
        b: One vector of shape `(m,)`, or a tensor of shape `(..., m, n)`. Leading axes broadcast.

    Returns:
        A tensor of shape `(..., m)` or `(..., m, n)`.

    Raises:
        ValueError: The matrix is not square, or singular; the sizes do not fit.

    Example:
        >>> convert_to_numpy(solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])).tolist()
        [1.0, 0.5]
    """


@op(
    rule=Rule(
        lambda a, b, lower=False: _solve(a, b, "ops.solve_triangular"), operands=dtypes.float_type
    )
)
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    """The x with `a @ x = b`, for a triangular `a`.

    Args:
        a: Tensor of shape `(..., m, m)`; the other triangle is not read.
        b: One vector of shape `(m,)`, or a tensor of shape `(..., m, n)`. Leading axes broadcast.
        lower: Whether `a` is lower triangular, not upper.

    Returns:
        A tensor of shape `(..., m)` or `(..., m, n)`.

    Raises:
        ValueError: The matrix is not square, or its diagonal has a 0; the sizes do not fit.

    Example:
        >>> convert_to_numpy(solve_triangular([[2.0, 1.0], [0.0, 4.0]], [4.0, 8.0])).tolist()
        [1.0, 2.0]
    """


@op
def lstsq(a: Tensor, b: Tensor, rcond: float | None = None) -> Tensor:
    """The x with the least `|a @ x - b|`; among several, that of the least norm.

    Args:
        a: Tensor of shape `(m, n)`.
        b: Tensor of shape `(m,)` or `(m, k)`.
        rcond: A singular value of `a` counts as 0 up to this multiple of the largest;
            `max(m, n) * eps` by default.

    Returns:
        A tensor of shape `(n,)` or `(n, k)`.

    Example:
        >>> print(convert_to_numpy(lstsq([[1.0], [1.0]], [1.0, 3.0])).round(3))
        [2.]
    """
    shapes = tuple(a.shape), tuple(b.shape)
    if len(shapes[0]) != 2 or len(shapes[1]) not in (1, 2):
        raise SpecError(
            "ops.lstsq", expected="a matrix, and a vector or a matrix",
            given=f"shapes {shapes[0]} and {shapes[1]}", fix="solve one system at a time",
        )  # fmt: skip
    (rows, columns), given = shapes[0], shapes[1][0]
    if None not in (rows, given) and rows != given:
        raise SpecError(
            "ops.lstsq", expected=f"a right-hand side of {rows} rows, as the matrix has",
            given=f"shapes {shapes[0]} and {shapes[1]}", fix="check the first axis of both",
        )  # fmt: skip
    dtype = dtypes.float_type(a.dtype, b.dtype)
    if rcond is None and None not in (rows, columns):
        rcond = cutoff(dtype, rows, columns)
    return matmul(pinv(cast(a, dtype), rcond), cast(b, dtype))
