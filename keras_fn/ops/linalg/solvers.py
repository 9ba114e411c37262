"""Linear systems, least squares and inverses."""

from __future__ import annotations

from keras_fn.core import dtypes
from keras_fn.core.linalg_errors import rank_tolerance
from keras_fn.core.shapes import is_size_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast
from keras_fn.ops.complex import conjugate
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import eye
from keras_fn.ops.linalg.decompositions import (
    same_square_spec,
    split_matrix_shape,
    split_square_shape,
)
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import swapaxes
from keras_fn.types import Tensor, TensorLike


@op(
    rule=Rule(
        lambda x, upper=False: same_square_spec(x, "ops.cholesky_inverse"),
        promote=dtypes.float_type,
        no_compile=True,
    )
)
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """Inverse of a symmetric positive definite matrix from its Cholesky factor.

    Args:
        x: Cholesky factor (see `cholesky`): a tensor of shape `(..., m, m)`.
        upper: Whether the factor is upper triangular.

    Returns:
        The inverse of `x @ x.T` (of `x.T @ x` if `upper`): a tensor of the shape of `x`.

    Raises:
        ValueError: The matrix is not square.

    Example:
        >>> convert_to_numpy(cholesky_inverse([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.25, 0.0], [0.0, 0.0625]]
    """
    split_square_shape(spec_of(x), "ops.cholesky_inverse")
    inverse = solve_triangular(x, eye(shape_of(x)[-1], dtype=dtype_of(x)), lower=not upper)
    conjugate_transpose = conjugate(swapaxes(inverse, -1, -2))
    return matmul(inverse, conjugate_transpose) if upper else matmul(conjugate_transpose, inverse)


@op(rule=Rule(lambda x: same_square_spec(x, "ops.inv"), promote=dtypes.float_type))
def inv(x: TensorLike) -> Tensor:
    """Inverse of square matrices.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        Tensor of the shape of `x`, of a float dtype.

    Raises:
        ValueError: The matrix is not square, or singular.

    Example:
        >>> convert_to_numpy(inv([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    ...


def _pinv_spec(x: TensorSpec, rcond: float | None = None) -> TensorSpec:
    batch, rows, columns = split_matrix_shape(x, "ops.pinv")
    return TensorSpec((*batch, columns, rows), dtypes.float_type(x.dtype))


@op(rule=Rule(_pinv_spec, promote=dtypes.float_type))
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """Moore-Penrose pseudoinverse, by the singular value decomposition.

    Args:
        x: Tensor of shape `(..., m, n)`.
        rcond: Singular values up to this multiple of the largest one are treated as 0; by default
            `10 * max(m, n) * eps`.

    Returns:
        Tensor of shape `(..., n, m)`, of a float dtype. The gradient assumes that the singular
        values treated as 0 are 0.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> print(convert_to_numpy(pinv([[2.0], [0.0]])).round(3))
        [[0.5 0. ]]

    References:
        Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
        problems whose variables separate", 1973: the gradient.
    """
    ...


def _solve_spec(a: TensorSpec, b: TensorSpec, source: str) -> TensorSpec:
    batch, size = split_square_shape(a, source)
    vector = len(b.shape) == 1
    if not b.shape:
        raise SpecError(
            source,
            expected="a right-hand side of rank 1 or more",
            received="a number",
            fix="pass a vector, or a matrix with a right-hand side in each column",
        )
    rows = b.shape[-1 if vector else -2]
    if not is_size_compatible(size, rows):
        raise SpecError(
            source,
            expected=f"a right-hand side of {size} rows, like the matrix",
            received=f"shapes {a.shape} and {b.shape}",
            fix="for a batch of vectors, add a last axis of size 1 to the right-hand side",
        )
    size = rows if size is None else size
    dtype = dtypes.float_type(a.dtype, b.dtype)
    if vector:
        return TensorSpec((*batch, size), dtype)
    return TensorSpec((*broadcast(batch, b.shape[:-2], source=source), size, b.shape[-1]), dtype)


@op(rule=Rule(lambda a, b: _solve_spec(a, b, "ops.solve"), promote=dtypes.float_type))
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """Solves systems of linear equations: `a @ x = b`.

    Args:
        a: Tensor of shape `(..., m, m)`.
        b: One vector of shape `(m,)`, or a tensor of shape `(..., m, n)`. Leading axes broadcast.

    Returns:
        Tensor of shape `(..., m)` or `(..., m, n)`, of the promoted float dtype.

    Raises:
        ValueError: The matrix is not square, or singular; the sizes do not fit.

    Example:
        >>> convert_to_numpy(solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])).tolist()
        [1.0, 0.5]
    """
    ...


@op(
    rule=Rule(
        lambda a, b, lower=False: _solve_spec(a, b, "ops.solve_triangular"),
        promote=dtypes.float_type,
    )
)
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """Solves systems of linear equations with a triangular matrix: `a @ x = b`.

    Args:
        a: Tensor of shape `(..., m, m)`; the other triangle is ignored.
        b: One vector of shape `(m,)`, or a tensor of shape `(..., m, n)`. Leading axes broadcast.
        lower: Whether `a` is lower triangular; else it is upper triangular.

    Returns:
        Tensor of shape `(..., m)` or `(..., m, n)`, of the promoted float dtype.

    Raises:
        ValueError: The matrix is not square, or its diagonal has a 0; the sizes do not fit.

    Example:
        >>> convert_to_numpy(solve_triangular([[2.0, 1.0], [0.0, 4.0]], [4.0, 8.0])).tolist()
        [1.0, 2.0]
    """
    ...


@op
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """Least-squares solution of `a @ x = b`; of several solutions, the one with the smallest norm.

    Args:
        a: Tensor of shape `(m, n)`.
        b: Tensor of shape `(m,)` or `(m, k)`.
        rcond: Singular values of `a` up to this multiple of the largest one are treated as 0; by
            default `max(m, n) * eps`.

    Returns:
        Tensor of shape `(n,)` or `(n, k)`, of the promoted float dtype.

    Raises:
        ValueError: `a` is not a matrix, or the numbers of rows differ.

    Example:
        >>> print(convert_to_numpy(lstsq([[1.0], [1.0]], [1.0, 3.0])).round(3))
        [2.]
    """
    matrix, right = spec_of(a), spec_of(b)
    shapes = matrix.shape, right.shape
    if len(shapes[0]) != 2 or len(shapes[1]) not in (1, 2):
        raise SpecError(
            "ops.lstsq",
            expected="a of rank 2, and b of rank 1 or 2",
            received=f"shapes {shapes[0]} and {shapes[1]}",
            fix="solve one system at a time",
        )
    (rows, columns), right_rows = shapes[0], shapes[1][0]
    if not is_size_compatible(rows, right_rows):
        raise SpecError(
            "ops.lstsq",
            expected=f"a right-hand side of {rows} rows, like the matrix",
            received=f"shapes {shapes[0]} and {shapes[1]}",
            fix="check the first axis of both",
        )
    dtype = dtypes.float_type(matrix.dtype, right.dtype)
    if rcond is None and rows is not None and columns is not None:
        rcond = rank_tolerance(dtype, rows, columns)
    return matmul(pinv(cast(a, dtype), rcond), cast(b, dtype))
