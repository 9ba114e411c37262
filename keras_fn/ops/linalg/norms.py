"""Norms, determinants, rank, trace and distances."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.linalg_errors import rank_tolerance
from keras_fn.core.shapes import is_size_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axes
from keras_fn.ops.arithmetic import absolute, divide, maximum, multiply, power, square, subtract
from keras_fn.ops.autodiff import stop_gradient
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import diagonal
from keras_fn.ops.linalg.decompositions import (
    real_dtype,
    split_matrix_shape,
    split_square_shape,
    square_matrix_rule,
    svd,
)
from keras_fn.ops.logic import equal, greater, not_equal, where
from keras_fn.ops.manipulation import expand_dims, moveaxis, reshape, squeeze
from keras_fn.ops.math import sqrt
from keras_fn.ops.reductions import max as max_, min as min_, root_of_squares, sum as sum_
from keras_fn.types import Axis, Tensor, TensorLike


@op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Trace: the sum of a diagonal; see `diagonal`. Small integers are summed in 32 bits.

    Args:
        x: Tensor of rank 2 or more.
        offset: Index of the diagonal: 0 for the main one, positive above it, negative below it.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Returns:
        Tensor of the shape of `x` without the two axes.

    Example:
        >>> int(trace([[1, 2], [3, 4]]))
        5
    """
    return sum_(diagonal(x, offset, axis1, axis2), -1)


def _cdist_spec(x: TensorSpec, y: TensorSpec) -> TensorSpec:
    a, b = x.shape, y.shape
    if len(a) < 2 or len(b) < 2 or not is_size_compatible(a[-1], b[-1]):
        raise SpecError(
            "ops.cdist",
            expected="tensors of shapes (..., n, features) and (..., m, features)",
            received=f"shapes {a} and {b}",
            fix="pass the coordinates of each point along the last axis",
        )
    batch = broadcast(a[:-2], b[:-2], source="ops.cdist") if len(a) > 2 or len(b) > 2 else ()
    return TensorSpec((*batch, a[-2], b[-2]), dtypes.float_type(x.dtype, y.dtype))


@op(rule=Rule(_cdist_spec, promote=dtypes.float_type))
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """Pairwise Euclidean distances between two sets of points, without overflow.

    Args:
        x: Points: a tensor of shape `(..., n, features)`.
        y: Points: a tensor of shape `(..., m, features)`; leading axes broadcast.

    Returns:
        Tensor of shape `(..., n, m)`, of a float dtype. The gradient is 0 for equal points.

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
    differs = not_equal(total, 0)
    distance = multiply(scale, where(differs, sqrt(where(differs, total, 1)), 0))
    return squeeze(distance, -1)


_INFINITY = float("inf")

_MATRIX_NORMS = (None, "fro", "nuc", 1, -1, 2, -2, _INFINITY, -_INFINITY)


@op(upcast_half=True)
def norm(
    x: TensorLike,
    ord: float | str | None = None,
    axis: Axis = None,
    keepdims: bool = False,
) -> Tensor:
    """Norm of vectors or matrices.

    Args:
        x: Tensor of any shape.
        ord: For vectors 2 (also None), infinity or -infinity (largest and smallest absolute
            value), 0 (number of elements that are not 0), or any p: `sum(|x|**p)**(1 / p)`. For
            matrices `"fro"` (also None): Frobenius norm; `"nuc"`: sum of the singular values; 2 or
            -2: largest or smallest singular value; 1 or -1: largest or smallest sum of the absolute
            values of a column; infinity or -infinity: of a row.
        axis: One axis for vectors, two for matrices. None for the whole tensor: as one vector if
            `ord` is None, else as a vector or matrix according to its rank.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Tensor of the reduced shape, of a float dtype.

    Raises:
        ValueError: The norm is not defined for that number of axes.

    Example:
        >>> float(norm([3.0, 4.0]))
        5.0
        >>> float(norm([[1.0, 2.0], [3.0, 4.0]], ord=1))
        6.0
    """
    spec = spec_of(x)
    rank = len(spec.shape)
    axes = normalize_axes(axis, rank, "ops.norm")
    x = cast(x, dtypes.float_type(spec.dtype))
    magnitude = absolute(x)
    if axis is None and ord is None:
        return _root(sum_(square(magnitude), axes, keepdims), 2.0)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(magnitude, ord, axes[0], keepdims)
    if len(set(axes)) == 2 and ord in _MATRIX_NORMS:
        return _matrix_norm(x, magnitude, ord, axes, keepdims)
    raise SpecError(
        "ops.norm",
        expected="a number as ord= for one axis; 'fro', 'nuc', 1, -1, 2, -2, inf or -inf for two",
        received=f"ord={ord!r} for axes {axes} of a tensor of rank {rank}",
        fix="pass one or two axes, or reshape the tensor",
    )


def _vector_norm(magnitude: Tensor, ord: Any, axis: int, keepdims: bool) -> Tensor:
    if ord is None or ord == 2:
        return _root(sum_(square(magnitude), axis, keepdims), 2.0)
    if ord == _INFINITY:
        return max_(magnitude, axis, keepdims)
    if ord == -_INFINITY:
        return min_(magnitude, axis, keepdims)
    if ord == 0:
        return sum_(
            cast(greater(magnitude, 0), dtypes.result_type(magnitude.dtype)), axis, keepdims
        )
    if ord == 1:
        return sum_(magnitude, axis, keepdims)
    if ord < 1:  # where the slope at 0 is infinite, it is taken to be 0
        zero = equal(magnitude, 0)
        powers = power(where(zero, 1.0, magnitude), ord)
        powers = where(zero, 0.0 if ord > 0 else _INFINITY, powers)
    else:
        powers = power(magnitude, ord)
    return _root(sum_(powers, axis, keepdims), float(ord))


def _root(x: Tensor, degree: float) -> Tensor:
    """Returns the `degree`-th root. Its gradient at 0, which is infinite, is replaced by 0."""
    if degree < 0:
        return power(x, 1.0 / degree)
    if degree == 2:
        return root_of_squares(x)
    zero = equal(x, 0)
    return where(zero, 0, power(where(zero, 1, x), 1.0 / degree))


def _matrix_norm(
    x: Tensor, magnitude: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool
) -> Tensor:
    if ord in (None, "fro"):
        return _root(sum_(square(magnitude), axes, keepdims), 2.0)
    reduce = min_ if ord in (-1, -2, -_INFINITY) else max_
    rows, columns = axes
    if ord in ("nuc", 2, -2):
        values = svd(moveaxis(x, axes, (-2, -1)), compute_uv=False)
        result = sum_(values, -1) if ord == "nuc" else reduce(values, -1)
        if not keepdims:
            return result
        kept_shape = [1 if i in axes else n for i, n in enumerate(shape_of(x))]
        return reshape(result, kept_shape)
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    result = reduce(sum_(magnitude, summed, True), other, True)
    return result if keepdims else squeeze(result, axes)


@op(rule=square_matrix_rule("ops.det", lambda batch, _, dtype: TensorSpec(batch, dtype)))
def det(x: TensorLike) -> Tensor:
    """Determinant of square matrices.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        Tensor of shape `(...)`, of a float dtype; 0 for a singular matrix.

    Raises:
        ValueError: The matrix is not square.

    Example:
        >>> float(det([[2.0, 1.0], [0.0, 3.0]]))
        6.0
    """
    ...


@op(
    rule=square_matrix_rule(
        "ops.slogdet",
        lambda batch, _, dtype: (TensorSpec(batch, dtype), TensorSpec(batch, real_dtype(dtype))),
    )
)
def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Sign of the determinant, and logarithm of its absolute value.

    Args:
        x: Tensor of shape `(..., m, m)`.

    Returns:
        `(sign, logarithm)`, both of shape `(...)`; `(0, -inf)` for a singular matrix.

    Raises:
        ValueError: The matrix is not square.

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
        Tensor of shape `(...)`, of a float dtype; -inf for a singular matrix.

    Raises:
        ValueError: The matrix is not square.

    Example:
        >>> print(f"{float(logdet([[2.0, 0.0], [0.0, 3.0]])):.3f}")
        1.792
    """
    split_square_shape(spec_of(x), "ops.logdet")
    return slogdet(x)[1]


@op
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """Rank of matrices: the number of singular values greater than a tolerance.

    Args:
        x: Tensor of shape `(..., m, n)`.
        tol: The tolerance; by default `max(m, n) * eps` times the largest singular value.

    Returns:
        Int32 tensor of shape `(...)`.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> int(matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    spec = spec_of(x)
    split_matrix_shape(spec, "ops.matrix_rank")
    values = svd(x, compute_uv=False)
    threshold: TensorLike | None = tol
    if threshold is None:
        rows, columns = shape_of(x)[-2:]
        unit = rank_tolerance(dtypes.float_type(spec.dtype), 1, 1)
        threshold = multiply(values[..., :1], multiply(maximum(rows, columns), unit))
    return sum_(cast(greater(values, threshold), "int32"), -1)
