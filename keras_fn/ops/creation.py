"""Array creation: constants, ranges, diagonals and triangles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor, Shape
from keras_fn.core.scopes import context
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import normalize_axes
from keras_fn.ops.arithmetic import add, power
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.logic import equal, greater_equal, less_equal, where
from keras_fn.ops.manipulation import concatenate, expand_dims, flip, moveaxis, pad, ravel, reshape
from keras_fn.types import Tensor, TensorLike


def _make(shape: Any, dtype: Any, make: Callable[..., Any]) -> Tensor:
    """Calls the backend's `make`, or infers where sizes are symbolic."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    name = dtypes.standardize_dtype(dtype)
    if context.current.symbolic or any([isinstance(size, KerasTensor) for size in sizes]):
        sizes = tuple(None if isinstance(size, KerasTensor) else size for size in sizes)
        return KerasTensor(sizes, name, record_history=False)
    return make(sizes, name)


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros.

    Args:
        shape: Its sizes.
        dtype: Its dtype; `floatx()` by default.

    Example:
        >>> convert_to_numpy(zeros((2,))).tolist()
        [0.0, 0.0]
    """
    return _make(shape, dtype, lambda s, d: current().ops.full(s, 0, d))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones.

    Example:
        >>> convert_to_numpy(ones((2,))).tolist()
        [1.0, 1.0]
    """
    return _make(shape, dtype, lambda s, d: current().ops.full(s, 1, d))


def full(shape: Any, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor of `fill_value`, which broadcasts to `shape`.

    Example:
        >>> convert_to_numpy(full((2,), 7, dtype="int32")).tolist()
        [7, 7]
    """
    if isinstance(fill_value, (bool, int, float)):
        return _make(shape, dtype, lambda s, d: current().ops.full(s, fill_value, d))
    return add(zeros(shape, dtype), cast(fill_value, dtypes.standardize_dtype(dtype)))


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor whose values nobody promises (zeros, here)."""
    return zeros(shape, dtype)


def _like(x: Tensor, value: float, dtype: Any) -> Tensor:
    spec = spec_of(x)
    return full(
        spec.shape if isinstance(x, KerasTensor) else shape_of(x), value, dtype or spec.dtype
    )


@op
def zeros_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Zeros of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(zeros_like([1, 2])).tolist()
        [0, 0]
    """
    return _like(x, 0, dtype)


@op
def empty_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor of the shape and dtype of `x` whose values nobody promises (zeros, here)."""
    return _like(x, 0, dtype)


@op
def ones_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Ones of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(ones_like([5, 6])).tolist()
        [1, 1]
    """
    return _like(x, 1, dtype)


@op
def full_like(x: TensorLike, fill_value: float, dtype: Any = None) -> Tensor:
    """A tensor of `fill_value` of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(full_like([5, 6], 3)).tolist()
        [3, 3]
    """
    return _like(x, fill_value, dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Numbers from `start` (0 if one argument is given) up to, without, `stop`.

    Example:
        >>> convert_to_numpy(arange(1, 7, 2)).tolist()
        [1, 3, 5]
    """
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    limits = (start, stop, step)
    if dtype is None:
        dtype = dtypes.result_type(*(spec_of(v).dtype for v in limits))
    dtype = dtypes.standardize_dtype(dtype)
    known = all(isinstance(v, (int, float)) for v in limits)
    if context.current.symbolic or any(isinstance(v, KerasTensor) for v in limits):
        size = max(0, math.ceil((stop - start) / step)) if known else None
        return KerasTensor((size,), dtype, record_history=False)
    return current().ops.arange(start, stop, step, dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix with ones on the `k`-th diagonal, zeros elsewhere.

    Example:
        >>> convert_to_numpy(eye(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = expand_dims(arange(N), 1), expand_dims(arange(N if M is None else M), 0)
    return cast(equal(add(rows, k), columns), dtypes.standardize_dtype(dtype))


def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix.

    Example:
        >>> convert_to_numpy(identity(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix with ones on and below the `k`-th diagonal.

    Example:
        >>> convert_to_numpy(tri(2)).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    rows, columns = expand_dims(arange(N), 1), expand_dims(arange(N if M is None else M), 0)
    return cast(greater_equal(add(rows, k), columns), dtypes.standardize_dtype(dtype))


def _diag(x: TensorSpec, k: int = 0) -> TensorSpec:
    if len(x.shape) == 2:
        return _diagonal(x, k)
    if len(x.shape) != 1:
        raise SpecError(
            "ops.diag",
            expected="a tensor of rank 1 or 2",
            received=f"shape {x.shape}",
            fix="use ops.diagonal for batches of matrices, ops.diagflat to flatten first",
        )
    size = None if x.shape[0] is None else x.shape[0] + abs(k)
    return TensorSpec((size, size), x.dtype)


@op(rule=Rule(_diag))
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """The matrix with `x` on its `k`-th diagonal, or of a matrix that diagonal.

    Args:
        x: Tensor of rank 1 or 2.
        k: 0 for the main diagonal, positive for one above it, negative for one below.

    Example:
        >>> convert_to_numpy(diag([1, 2])).tolist()
        [[1, 0], [0, 2]]
    """
    if len(x.shape) == 2:
        return diagonal(x, k)
    _diag(spec_of(x), k)
    line = pad(x, ((max(k, 0), max(-k, 0)),))  # in each column the element that belongs there
    return where(eye(shape_of(line)[0], k=k, dtype="bool"), line, False)


@op
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """The matrix with the elements of `x` on its `k`-th diagonal.

    Example:
        >>> convert_to_numpy(diagflat([[1, 2]])).tolist()
        [[1, 0], [0, 2]]
    """
    return diag(ravel(x), k)


def _triangle(source: str) -> Rule:
    def infer(x: TensorSpec, k: int = 0) -> TensorSpec:
        if len(x.shape) < 2:
            raise _no_matrix(source, x.shape)
        return x

    return Rule(infer)


def _beside_diagonal(x: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers of the rows, as a column, and those of the columns."""
    rows, columns = shape_of(x)[-2:]
    return expand_dims(arange(rows, dtype="int32"), 1), arange(columns, dtype="int32")


@op(rule=_triangle("ops.tril"))
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """The lower triangle: 0 above the `k`-th diagonal of the last two axes.

    Example:
        >>> convert_to_numpy(tril([[1, 2], [3, 4]])).tolist()
        [[1, 0], [3, 4]]
    """
    rows, columns = _beside_diagonal(x)  # False is the 0 of any dtype
    return where(less_equal(columns, add(rows, k)), x, False)


@op(rule=_triangle("ops.triu"))
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """The upper triangle: 0 below the `k`-th diagonal of the last two axes.

    Example:
        >>> convert_to_numpy(triu([[1, 2], [3, 4]])).tolist()
        [[1, 2], [0, 4]]
    """
    rows, columns = _beside_diagonal(x)
    return where(greater_equal(columns, add(rows, k)), x, False)


def _vander(x: TensorSpec, N: int | None = None, increasing: bool = False) -> TensorSpec:
    if len(x.shape) != 1:
        raise SpecError(
            "ops.vander",
            expected="a tensor of rank 1",
            received=f"shape {x.shape}",
            fix="flatten it with ops.ravel",
        )
    return TensorSpec((x.shape[0], x.shape[0] if N is None else N), x.dtype)


@op(rule=Rule(_vander))
def vander(x: TensorLike, N: Any = None, increasing: bool = False) -> Tensor:
    """Vandermonde matrix: in each row the powers of one element.

    Args:
        x: Tensor of shape `(n,)`.
        N: How many powers, from 0 on; `n` by default.
        increasing: Whether the exponents rise from left to right.

    Returns:
        A tensor of shape `(n, N)`.

    Example:
        >>> convert_to_numpy(vander([2, 3], 3)).tolist()
        [[4, 2, 1], [9, 3, 1]]
    """
    _vander(spec_of(x))
    count = shape_of(x)[0] if N is None else N
    column, dtype = expand_dims(x, 1), spec_of(x).dtype
    # The power 0 apart: its gradient where x is 0 would be 0 / 0.
    powers = power(column, cast(arange(1, count), dtype))
    columns = concatenate([ones_like(column), powers], axis=1)
    columns = getitem(columns, (slice(None), slice(count)))
    return columns if increasing else flip(columns, 1)


def _diagonal(x: TensorSpec, offset: int = 0, axis1: int = 0, axis2: int = 1) -> TensorSpec:
    rank = len(x.shape)
    if rank < 2:
        raise _no_matrix("ops.diagonal", x.shape)
    first, second = normalize_axes((axis1, axis2), rank, "ops.diagonal")
    if first == second:
        raise SpecError(
            "ops.diagonal",
            expected="two different axes",
            received=f"axis1={axis1}, axis2={axis2} for a tensor of rank {rank}",
            fix="name the rows with axis1 and the columns with axis2",
        )
    kept = [n for i, n in enumerate(x.shape) if i not in (first, second)]
    return TensorSpec((*kept, _length(x.shape[first], x.shape[second], offset)), x.dtype)


@op(rule=Rule(_diagonal))
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices that lie in two axes, along a new last axis.

    Args:
        x: Tensor of rank 2 or more.
        offset: 0 for the main diagonal, positive for one above it, negative for one below.
        axis1: The axis that counts rows.
        axis2: The axis that counts columns.

    Example:
        >>> convert_to_numpy(diagonal([[1, 2], [3, 4]])).tolist()
        [1, 4]
    """
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    *batch, rows, columns = shape_of(x)
    start = offset if offset >= 0 else -offset * columns
    stop = start + (_length(rows, columns, offset) or 0) * (columns + 1)
    flat = reshape(x, (*batch, rows * columns))
    return getitem(flat, (Ellipsis, slice(start, stop, columns + 1)))


def _length(rows: int | None, columns: int | None, offset: int) -> int | None:
    """How many elements a diagonal has."""
    if rows is None or columns is None:
        return None
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


def _no_matrix(source: str, shape: Shape) -> SpecError:
    return SpecError(
        source,
        expected="a tensor of rank 2 or more",
        received=f"shape {shape}",
        fix="add axes with ops.expand_dims",
    )
