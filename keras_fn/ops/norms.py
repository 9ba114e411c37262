"""Norms of vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import op
from keras_fn.ops._rules import normalize_axes
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import equal, greater, power, square, where
from keras_fn.ops.core import cast
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.matrices import svd
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.reductions import min as min_
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.shapes import moveaxis, reshape, squeeze
from keras_fn.ops.unary import absolute, sqrt

_INFINITY = float("inf")
_MATRIX_NORMS = (None, "fro", "nuc", 1, -1, 2, -2, _INFINITY, -_INFINITY)


@op
def norm(
    x: Tensor,
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
        given=f"ord={ord!r} for axes {axes} of a tensor of rank {rank}",
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
