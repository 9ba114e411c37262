"""Array creation: constants, ranges, diagonals and triangles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor, Shape, standardize_shape
from keras_fn.core.scopes import context
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import check_at_least, normalize_axis
from keras_fn.ops.arithmetic import add, power
from keras_fn.ops.core import cast, ndim, shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.ops.logic import equal, greater_equal, less_equal, where
from keras_fn.ops.manipulation import expand_dims, moveaxis, pad, ravel, reshape
from keras_fn.ops.rearranging import flip
from keras_fn.types import ArrayLike, DTypeLike, ShapeLike, Tensor, TensorLike


def list_sizes(shape: Any) -> tuple[Any, ...]:
    """Returns the sizes of a shape, which may be one size, or a tensor that is known at run time.

    Args:
        shape: A size, a sequence of sizes, or a tensor of rank 1.
    """
    if current().is_traced(shape):
        (rank,) = spec_of(shape).shape
        return tuple(getitem(shape, i) for i in range(rank or 0))
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


def create_tensor(shape: ShapeLike, dtype: DTypeLike | None, create: Callable[..., Any]) -> Tensor:
    """Returns a tensor of a shape that may hold tensors: a KerasTensor in a symbolic call.

    Args:
        shape: The shape, as `list_sizes` takes it.
        dtype: The dtype; `floatx()` by default.
        create: Makes the tensor, from the sizes and the dtype.

    Raises:
        TypeError: The shape holds something else than sizes.
    """
    sizes = list_sizes(shape)
    name = dtypes.standardize_dtype(dtype)
    if context.current.symbolic or any([isinstance(size, KerasTensor) for size in sizes]):
        sizes = tuple(None if isinstance(size, KerasTensor) else size for size in sizes)
        return KerasTensor(sizes, name, record_history=False)
    try:
        return create(sizes, name)
    except Exception:
        standardize_shape([size if isinstance(size, int) else None for size in sizes])
        raise


def _count(source: str, **argument: Any) -> Any:
    """Returns the number of rows or columns, an integer or a tensor, after checking it.

    Args:
        source: Name of the op, for errors.
        **argument: The number, by the name of the argument.
    """
    ((name, value),) = argument.items()
    value = _plain(value)
    if isinstance(value, (float, str, list, tuple)):
        raise DTypeError(
            source,
            expected=f"{name}: an integer",
            received=f"{name}={value!r}",
            fix=f"pass {name}=int(...)",
        )
    check_at_least(0, source, **{name: value})
    return value


def _plain(x: Any) -> Any:
    """Returns a NumPy number, or an array without axes, as a Python number."""
    return x.item() if isinstance(x, (np.ndarray, np.generic)) and not x.ndim else x


def zeros(shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor filled with zeros.

    Args:
        shape: Sizes of the axes.
        dtype: Dtype of the result; `floatx()` by default.

    Returns:
        Tensor of that shape and dtype.

    Example:
        >>> convert_to_numpy(zeros((2,))).tolist()
        [0.0, 0.0]
    """
    return create_tensor(shape, dtype, lambda s, d: current().ops.full(s, 0, d))


def ones(shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor filled with ones.

    Args:
        shape: Sizes of the axes.
        dtype: Dtype of the result; `floatx()` by default.

    Returns:
        Tensor of that shape and dtype.

    Example:
        >>> convert_to_numpy(ones((2,))).tolist()
        [1.0, 1.0]
    """
    return create_tensor(shape, dtype, lambda s, d: current().ops.full(s, 1, d))


def full(shape: ShapeLike, fill_value: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor filled with a value.

    Args:
        shape: Sizes of the axes.
        fill_value: A number, or a tensor that broadcasts to `shape`.
        dtype: Dtype of the result; `floatx()` by default.

    Returns:
        Tensor of that shape and dtype.

    Example:
        >>> convert_to_numpy(full((2,), 7, dtype="int32")).tolist()
        [7, 7]
    """
    if isinstance(fill_value, (bool, int, float)):
        return create_tensor(shape, dtype, lambda s, d: current().ops.full(s, fill_value, d))
    return add(zeros(shape, dtype), cast(fill_value, dtypes.standardize_dtype(dtype)))


def empty(shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor with unspecified values (zeros in this implementation).

    Args:
        shape: Sizes of the axes.
        dtype: Dtype of the result; `floatx()` by default.

    Returns:
        Tensor of that shape and dtype.

    Example:
        >>> empty((2, 3)).shape == (2, 3)
        True
    """
    return zeros(shape, dtype)


def _fill_like(x: TensorLike, value: float, dtype: DTypeLike | None) -> Tensor:
    spec = spec_of(x)
    return full(
        spec.shape if isinstance(x, KerasTensor) else shape_of(x), value, dtype or spec.dtype
    )


@op
def zeros_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor of zeros with the shape and dtype of `x`.

    Args:
        x: Tensor of any shape.
        dtype: Dtype of the result; by default the dtype of `x`.

    Returns:
        Tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(zeros_like([1, 2])).tolist()
        [0, 0]
    """
    return _fill_like(x, 0, dtype)


@op
def empty_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor with the shape and dtype of `x` and unspecified values (zeros in this implementation).

    Args:
        x: Tensor of any shape.
        dtype: Dtype of the result; by default the dtype of `x`.

    Returns:
        Tensor of the shape of `x`.

    Example:
        >>> empty_like([[1, 2, 3]]).shape == (1, 3)
        True
    """
    return _fill_like(x, 0, dtype)


@op
def ones_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor of ones with the shape and dtype of `x`.

    Args:
        x: Tensor of any shape.
        dtype: Dtype of the result; by default the dtype of `x`.

    Returns:
        Tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(ones_like([5, 6])).tolist()
        [1, 1]
    """
    return _fill_like(x, 1, dtype)


@op
def full_like(x: TensorLike, fill_value: float, dtype: DTypeLike | None = None) -> Tensor:
    """Tensor filled with a value, with the shape and dtype of `x`.

    Args:
        x: Tensor of any shape.
        fill_value: A number.
        dtype: Dtype of the result; by default the dtype of `x`.

    Returns:
        Tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(full_like([5, 6], 3)).tolist()
        [3, 3]
    """
    return _fill_like(x, fill_value, dtype)


def arange(
    start: ArrayLike,
    stop: ArrayLike | None = None,
    step: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Evenly spaced numbers in the half-open interval from `start` to `stop`.

    Args:
        start: First number; with a single argument the end, and the first number is 0.
        stop: End of the interval, which is not included.
        step: Difference of two numbers; 1 by default. May be negative.
        dtype: Dtype of the result; by default the promoted dtype of the arguments.

    Returns:
        Tensor of shape `(ceil((stop - start) / step),)`.

    Raises:
        ValueError: `step` is 0, or a number is not finite.

    Example:
        >>> convert_to_numpy(arange(1, 7, 2)).tolist()
        [1, 3, 5]
    """
    if stop is None:
        start, stop = 0, start
    limits: list[Any] = [start, stop, 1 if step is None else step]
    if dtype is None:
        dtype = dtypes.result_type(*(spec_of(v).dtype for v in limits))
    dtype = dtypes.standardize_dtype(dtype)
    limits = list(map(_plain, limits))
    numbers = [v for v in limits if isinstance(v, (int, float))]
    if not all(map(math.isfinite, numbers)) or (
        isinstance(limits[2], (int, float)) and not limits[2]
    ):
        raise SpecError(
            "ops.arange",
            expected="start, stop and step: finite numbers, and a step that is not 0",
            received="start={}, stop={}, step={}".format(*limits),
            fix="use ops.linspace for a given number of elements",
        )
    is_static = all(isinstance(v, (int, float)) for v in limits)
    if context.current.symbolic or any(isinstance(v, KerasTensor) for v in limits):
        size = max(0, math.ceil((limits[1] - limits[0]) / limits[2])) if is_static else None
        return KerasTensor((size,), dtype, record_history=False)
    return current().ops.arange(limits[0], limits[1], limits[2], dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """Matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: Number of rows.
        M: Number of columns; `N` by default.
        k: Index of the diagonal: 0 for the main diagonal, positive above it, negative below it.
        dtype: Dtype of the result; `floatx()` by default.

    Returns:
        Tensor of shape `(N, M)`.

    Example:
        >>> convert_to_numpy(eye(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    N, k = _count("ops.eye", N=N), _plain(k)
    width = N if M is None else _count("ops.eye", M=M)
    rows, columns = expand_dims(arange(N), 1), expand_dims(arange(width), 0)
    return cast(equal(add(rows, k), columns), dtypes.standardize_dtype(dtype))


def identity(n: int, dtype: DTypeLike | None = None) -> Tensor:
    """Identity matrix.

    Args:
        n: Number of rows and columns.
        dtype: Dtype of the result; `floatx()` by default.

    Returns:
        Tensor of shape `(n, n)`.

    Example:
        >>> convert_to_numpy(identity(2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """Lower triangular matrix of ones: ones on and below a diagonal, zeros above it.

    Args:
        N: Number of rows.
        M: Number of columns; `N` by default.
        k: Index of the diagonal: 0 for the main diagonal, positive above it, negative below it.
        dtype: Dtype of the result; `floatx()` by default.

    Returns:
        Tensor of shape `(N, M)`.

    Example:
        >>> convert_to_numpy(tri(2)).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    N, k = _count("ops.tri", N=N), _plain(k)
    width = N if M is None else _count("ops.tri", M=M)
    rows, columns = expand_dims(arange(N), 1), expand_dims(arange(width), 0)
    return cast(greater_equal(add(rows, k), columns), dtypes.standardize_dtype(dtype))


def _diag_spec(x: TensorSpec, k: int = 0) -> TensorSpec:
    if len(x.shape) == 2:
        return _diagonal_spec(x, k)
    if len(x.shape) != 1:
        raise SpecError(
            "ops.diag",
            expected="a tensor of rank 1 or 2",
            received=f"shape {x.shape}",
            fix="use ops.diagonal for batches of matrices, ops.diagflat to flatten first",
        )
    size = None if x.shape[0] is None else x.shape[0] + abs(k)
    return TensorSpec((size, size), x.dtype)


@op(rule=Rule(_diag_spec))
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """Constructs a diagonal matrix from a vector, or extracts a diagonal from a matrix.

    Args:
        x: Tensor of rank 1 or 2.
        k: Index of the diagonal: 0 for the main diagonal, positive above it, negative below it.

    Returns:
        For a vector of size n, a tensor of shape `(n + abs(k), n + abs(k))`; for a matrix, a tensor
        of rank 1. The dtype is the dtype of `x`.

    Raises:
        ValueError: `x` is not of rank 1 or 2.

    Example:
        >>> convert_to_numpy(diag([1, 2])).tolist()
        [[1, 0], [0, 2]]
    """
    if ndim(x) == 2:
        return diagonal(x, k)
    _diag_spec(spec_of(x), k)
    row = pad(x, ((max(k, 0), max(-k, 0)),))  # the diagonal element of each column
    return where(eye(shape_of(row)[0], k=k, dtype="bool"), row, False)


@op
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """Constructs a diagonal matrix from the elements of a flattened tensor.

    Args:
        x: Tensor of any shape, with n elements.
        k: Index of the diagonal: 0 for the main diagonal, positive above it, negative below it.

    Returns:
        Tensor of shape `(n + abs(k), n + abs(k))`, of the dtype of `x`.

    Example:
        >>> convert_to_numpy(diagflat([[1, 2]])).tolist()
        [[1, 0], [0, 2]]
    """
    return diag(ravel(x), k)


def _triangle_rule(source: str) -> Rule:
    def infer(x: TensorSpec, k: int = 0) -> TensorSpec:
        if len(x.shape) < 2:
            raise _rank_error(source, x.shape)
        return x

    return Rule(infer)


def _row_and_column_indices(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Returns the row indices, as a column, and the column indices of matrices."""
    rows, columns = shape_of(x)[-2:]
    return expand_dims(arange(rows, dtype="int32"), 1), arange(columns, dtype="int32")


@op(rule=_triangle_rule("ops.tril"))
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """Lower triangle of matrices: sets the elements above a diagonal to 0.

    Args:
        x: Tensor of shape `(..., m, n)`.
        k: Index of the diagonal: 0 for the main diagonal, positive above it, negative below it.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> convert_to_numpy(tril([[1, 2], [3, 4]])).tolist()
        [[1, 0], [3, 4]]
    """
    rows, columns = _row_and_column_indices(x)  # False promotes to any dtype, as 0
    return where(less_equal(columns, add(rows, k)), x, False)


@op(rule=_triangle_rule("ops.triu"))
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """Upper triangle of matrices: sets the elements below a diagonal to 0.

    Args:
        x: Tensor of shape `(..., m, n)`.
        k: Index of the diagonal: 0 for the main diagonal, positive above it, negative below it.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> convert_to_numpy(triu([[1, 2], [3, 4]])).tolist()
        [[1, 2], [0, 4]]
    """
    rows, columns = _row_and_column_indices(x)
    return where(greater_equal(columns, add(rows, k)), x, False)


def _vander_spec(x: TensorSpec, N: int | None = None, increasing: bool = False) -> TensorSpec:
    if len(x.shape) != 1:
        raise SpecError(
            "ops.vander",
            expected="a tensor of rank 1",
            received=f"shape {x.shape}",
            fix="flatten it with ops.ravel",
        )
    return TensorSpec((x.shape[0], x.shape[0] if N is None else N), x.dtype)


@op(rule=Rule(_vander_spec))
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """Vandermonde matrix: each row contains the powers of one element.

    Args:
        x: Tensor of shape `(n,)`.
        N: Number of powers, starting at the power 0; `n` by default.
        increasing: Whether the exponents increase from left to right; else they decrease.

    Returns:
        Tensor of shape `(n, N)`, of the dtype of `x`.

    Raises:
        ValueError: `x` is not of rank 1.

    Example:
        >>> convert_to_numpy(vander([2, 3], 3)).tolist()
        [[4, 2, 1], [9, 3, 1]]
    """
    _vander_spec(spec_of(x))
    count = shape_of(x)[0] if N is None else N
    column, dtype = expand_dims(x, 1), spec_of(x).dtype
    # The power 0 is not computed: its gradient at 0 would be 0 / 0.
    powers = power(column, cast(arange(1, count), dtype))
    columns = concatenate([ones_like(column), powers], axis=1)
    columns = getitem(columns, (slice(None), slice(count)))
    return columns if increasing else flip(columns, 1)


def _diagonal_spec(x: TensorSpec, offset: int = 0, axis1: int = 0, axis2: int = 1) -> TensorSpec:
    rank = len(x.shape)
    if rank < 2:
        raise _rank_error("ops.diagonal", x.shape)
    first = normalize_axis(axis1, rank, "ops.diagonal", "axis1")
    second = normalize_axis(axis2, rank, "ops.diagonal", "axis2")
    if first == second:
        raise SpecError(
            "ops.diagonal",
            expected="two different axes",
            received=f"axis1={axis1}, axis2={axis2} for a tensor of rank {rank}",
            fix="pass the axis of the rows as axis1 and the axis of the columns as axis2",
        )
    kept = [n for i, n in enumerate(x.shape) if i not in (first, second)]
    return TensorSpec((*kept, _diagonal_size(x.shape[first], x.shape[second], offset)), x.dtype)


@op(rule=Rule(_diagonal_spec))
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Extracts diagonals of the matrices along two axes.

    Args:
        x: Tensor of rank 2 or more.
        offset: Index of the diagonal: 0 for the main one, positive above it, negative below it.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Returns:
        Tensor of the dtype of `x` without the two axes; the diagonals are along a new last axis.

    Raises:
        ValueError: `x` has fewer than two axes, or the two axes are equal.

    Example:
        >>> convert_to_numpy(diagonal([[1, 2], [3, 4]])).tolist()
        [1, 4]
    """
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    *batch, rows, columns = shape_of(x)
    start = offset if offset >= 0 else -offset * columns
    stop = start + (_diagonal_size(rows, columns, offset) or 0) * (columns + 1)
    flat = reshape(x, (*batch, rows * columns))
    return getitem(flat, (Ellipsis, slice(start, stop, columns + 1)))


def _diagonal_size(rows: int | None, columns: int | None, offset: int) -> int | None:
    """Returns the number of elements of a diagonal."""
    if rows is None or columns is None:
        return None
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


def _rank_error(source: str, shape: Shape) -> SpecError:
    return SpecError(
        source,
        expected="a tensor of rank 2 or more",
        received=f"shape {shape}",
        fix="add axes with ops.expand_dims",
    )
