"""Norms and numbers of matrices: determinants, rank, trace, distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.linalg_errors import rank_tolerance
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axes
from keras_fn.ops.arithmetic import absolute, divide, maximum, multiply, power, square, subtract
from keras_fn.ops.autodiff import stop_gradient
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import diagonal
from keras_fn.ops.linalg.decompositions import _matrix, _of_square, _real, _square, svd
from keras_fn.ops.logic import equal, greater, not_equal, where
from keras_fn.ops.manipulation import expand_dims, moveaxis, reshape, squeeze
from keras_fn.ops.math import sqrt
from keras_fn.ops.reductions import max as max_, min as min_, sum as sum_
from keras_fn.types import Tensor, TensorLike


@op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Sum of a diagonal; see `diagonal`. Small integers are summed in 32 bits.

    Example:
        >>> int(trace([[1, 2], [3, 4]]))
        5
    """
    return sum_(diagonal(x, offset, axis1, axis2), -1)


def _cdist_spec(x: TensorSpec, y: TensorSpec) -> TensorSpec:
    a, b = x.shape, y.shape
    if len(a) < 2 or len(b) < 2 or (None not in (a[-1], b[-1]) and a[-1] != b[-1]):
        raise SpecError(
            "ops.cdist",
            expected="tensors of shapes (..., n, features) and (..., m, features)",
            received=f"shapes {a} and {b}",
            fix="put the coordinates of each point along the last axis",
        )
    batch = broadcast(a[:-2], b[:-2], source="ops.cdist") if len(a) > 2 or len(b) > 2 else ()
    return TensorSpec((*batch, a[-2], b[-2]), dtypes.float_type(x.dtype, y.dtype))


@op(rule=Rule(_cdist_spec, promote=dtypes.float_type))
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """Euclidean distances between the points of `x` and those of `y`, without overflow.

    Args:
        x: Points, a tensor of shape `(..., n, features)`.
        y: Points, a tensor of shape `(..., m, features)`; axes before the last two broadcast.

    Returns:
        A tensor of shape `(..., n, m)`. The gradient is 0 where two points are the same.

    Raises:
        ValueError: A tensor has fewer than two axes, or the numbers of features differ.

    Example:
        >>> convert_to_numpy(cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])).tolist()
        [[5.0, 1.0]]
    """
    _cdist_spec(spec_of(x), spec_of(y))
    difference = subtract(expand_dims(x, -2), expand_dims(y, -3))
    scale = stop_gradient(max_(absolute(difference), -1, keepdims=True, initial=0))
    scale = where(equal(scale, 0), 1, scale)
    total = sum_(square(divide(difference, scale)), -1, keepdims=True)
    apart = not_equal(total, 0)
    distance = multiply(scale, where(apart, sqrt(where(apart, total, 1)), 0))
    return squeeze(distance, -1)


_INFINITY = float("inf")

_MATRIX_NORMS = (None, "fro", "nuc", 1, -1, 2, -2, _INFINITY, -_INFINITY)


@op
def norm(
    x: TensorLike,
    ord: float | str | None = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Norm of vectors, or of matrices.

    Args:
        x: Tensor of any shape.
        ord: For vectors 2 (also None), infinity or -infinity (largest and smallest absolute
            value), 0 (how many elements are not 0), or any p: `sum(|x|**p)**(1 / p)`. For
            matrices "fro" (also None): root of the sum of squares; "nuc": sum of the singular
            values; 2 or -2: largest or smallest one; 1 or -1: largest or smallest sum of a
            column's absolute values; infinity or -infinity: of a row's.
        axis: One axis for vectors, two for matrices. None for the whole tensor: as one vector
            if `ord` is None, else as the vector or matrix that it is.
        keepdims: Whether the axes stay, with size 1.

    Raises:
        ValueError: There is no such norm for so many axes.

    Example:
        >>> float(norm([3.0, 4.0]))
        5.0
        >>> float(norm([[1.0, 2.0], [3.0, 4.0]], ord=1))
        6.0
    """
    rank = len(x.shape)
    axes = normalize_axes(axis, rank, "ops.norm")
    x = cast(x, dtypes.float_type(x.dtype))
    size = absolute(x)
    if axis is None and ord is None:
        return _root(sum_(square(size), axes, keepdims), 2.0)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(size, ord, axes[0], keepdims)
    if len(set(axes)) == 2 and ord in _MATRIX_NORMS:
        return _matrix_norm(x, size, ord, axes, keepdims)
    raise SpecError(
        "ops.norm",
        expected="a number as ord= for one axis; for two, 'fro', 'nuc', 1, 2, inf or less than 0",
        received=f"ord={ord!r} for axes {axes} of a tensor of rank {rank}",
        fix="name one axis or two, or reshape the tensor",
    )


def _vector_norm(size: Tensor, ord: Any, axis: int, keepdims: bool) -> Tensor:
    if ord is None or ord == 2:
        return _root(sum_(square(size), axis, keepdims), 2.0)
    if ord == _INFINITY:
        return max_(size, axis, keepdims)
    if ord == -_INFINITY:
        return min_(size, axis, keepdims)
    if ord == 0:
        return sum_(cast(greater(size, 0), dtypes.result_type(size.dtype)), axis, keepdims)
    if ord == 1:
        return sum_(size, axis, keepdims)
    return _root(sum_(power(size, ord), axis, keepdims), float(ord))


def _root(x: Tensor, degree: float) -> Tensor:
    """The `degree`-th root; its gradient at 0, where there is none, is 0."""
    if degree < 0:
        return power(x, 1.0 / degree)
    zero = equal(x, 0)
    positive = where(zero, 1, x)
    return where(zero, 0, sqrt(positive) if degree == 2 else power(positive, 1.0 / degree))


def _matrix_norm(
    x: Tensor, size: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool
) -> Tensor:
    if ord in (None, "fro"):
        return _root(sum_(square(size), axes, keepdims), 2.0)
    pick = min_ if ord in (-1, -2, -_INFINITY) else max_
    rows, columns = axes
    if ord in ("nuc", 2, -2):
        values = svd(moveaxis(x, axes, (-2, -1)), compute_uv=False)
        result = sum_(values, -1) if ord == "nuc" else pick(values, -1)
        if not keepdims:
            return result
        kept = [1 if i in axes else n for i, n in enumerate(shape_of(x))]
        return reshape(result, kept)
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    result = pick(sum_(size, summed, True), other, True)
    return result if keepdims else squeeze(result, axes)


@op(rule=_of_square("ops.det", lambda batch, _, dtype: TensorSpec(batch, dtype)))
def det(x: TensorLike) -> Tensor:
    """Determinant.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        A tensor of shape `(...)`; 0 for a singular matrix.

    Example:
        >>> float(det([[2.0, 1.0], [0.0, 3.0]]))
        6.0
    """
    ...


@op(
    rule=_of_square(
        "ops.slogdet",
        lambda batch, _, dtype: (TensorSpec(batch, dtype), TensorSpec(batch, _real(dtype))),
    )
)
def slogdet(x: TensorLike) -> Any:
    """Sign of the determinant, and the logarithm of its absolute value.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        `(sign, logarithm)`, both of shape `(...)`; `(0, -inf)` for a singular matrix.

    Example:
        >>> [f"{float(v):.3f}" for v in slogdet([[0.0, 2.0], [3.0, 0.0]])]
        ['-1.000', '1.792']
    """
    ...


@op
def logdet(x: TensorLike) -> Tensor:
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


@op
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
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
        unit = rank_tolerance(dtypes.float_type(x.dtype), 1, 1)
        tol = multiply(values[..., :1], multiply(maximum(rows, columns), unit))
    return sum_(cast(greater(values, tol), "int32"), -1)
