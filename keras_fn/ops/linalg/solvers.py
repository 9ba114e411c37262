"""Solving equations and inverting matrices."""

from __future__ import annotations

from keras_fn.core import dtypes
from keras_fn.core.linalg_errors import rank_tolerance
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import broadcast
from keras_fn.ops.complex import conjugate
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import eye
from keras_fn.ops.linalg.decompositions import _matrix, _same_square, _square
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import swapaxes
from keras_fn.types import Tensor, TensorLike


@op(
    rule=Rule(
        lambda x, upper=False: _same_square(x, "ops.cholesky_inverse"),
        promote=dtypes.float_type,
        no_compile=True,
    )
)
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
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


@op(rule=Rule(lambda x: _same_square(x, "ops.inv"), promote=dtypes.float_type))
def inv(x: TensorLike) -> Tensor:
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
    ...


def _pinv(x: TensorSpec, rcond: float | None = None) -> TensorSpec:
    batch, rows, columns = _matrix(x, "ops.pinv")
    return TensorSpec((*batch, columns, rows), dtypes.float_type(x.dtype))


@op(rule=Rule(_pinv, promote=dtypes.float_type))
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
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
    ...


# ---------------------------------------------------------------- systems of equations


def _solve(a: TensorSpec, b: TensorSpec, source: str) -> TensorSpec:
    batch, size = _square(a, source)
    vector = len(b.shape) == 1
    if not b.shape:
        raise SpecError(
            source,
            expected="a right-hand side of rank 1 or more",
            received="a number",
            fix="give a vector, or a matrix with a right-hand side in each column",
        )
    rows = b.shape[-1 if vector else -2]
    if None not in (size, rows) and size != rows:
        raise SpecError(
            source,
            expected=f"a right-hand side of {size} rows, as the matrix has",
            received=f"shapes {a.shape} and {b.shape}",
            fix="a vector has rank 1; of a stack of vectors, make matrices of one column",
        )
    size = rows if size is None else size
    dtype = dtypes.float_type(a.dtype, b.dtype)
    if vector:
        return TensorSpec((*batch, size), dtype)
    return TensorSpec((*broadcast(batch, b.shape[:-2], source=source), size, b.shape[-1]), dtype)


@op(rule=Rule(lambda a, b: _solve(a, b, "ops.solve"), promote=dtypes.float_type))
def solve(a: TensorLike, b: TensorLike) -> Tensor:
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
    ...


@op(
    rule=Rule(
        lambda a, b, lower=False: _solve(a, b, "ops.solve_triangular"), promote=dtypes.float_type
    )
)
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
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
    ...


@op
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
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
            "ops.lstsq",
            expected="a matrix, and a vector or a matrix",
            received=f"shapes {shapes[0]} and {shapes[1]}",
            fix="solve one system at a time",
        )
    (rows, columns), received = shapes[0], shapes[1][0]
    if None not in (rows, received) and rows != received:
        raise SpecError(
            "ops.lstsq",
            expected=f"a right-hand side of {rows} rows, as the matrix has",
            received=f"shapes {shapes[0]} and {shapes[1]}",
            fix="check the first axis of both",
        )
    dtype = dtypes.float_type(a.dtype, b.dtype)
    if rcond is None and None not in (rows, columns):
        rcond = rank_tolerance(dtype, rows, columns)
    return matmul(pinv(cast(a, dtype), rcond), cast(b, dtype))
