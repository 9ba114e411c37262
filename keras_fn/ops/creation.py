"""Ops that make tensors of nothing but a shape. In a layer's symbolic call they only infer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context
from keras_fn.ops._op import op, spec_of
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import add, equal, greater_equal
from keras_fn.ops.core import cast
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.shapes import expand_dims


def _make(shape: Any, dtype: Any, make: Callable[..., Any]) -> Tensor:
    """Calls the backend's `make`, or infers where sizes are symbolic."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    name = dtypes.standardize_dtype(dtype)
    if context.now.symbolic or any([isinstance(size, KerasTensor) for size in sizes]):
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


def full(shape: Any, fill_value: Tensor, dtype: Any = None) -> Tensor:
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
def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Zeros of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(zeros_like([1, 2])).tolist()
        [0, 0]
    """
    return _like(x, 0, dtype)


@op
def empty_like(x: Tensor, dtype: Any = None) -> Tensor:
    """A tensor of the shape and dtype of `x` whose values nobody promises (zeros, here)."""
    return _like(x, 0, dtype)


@op
def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Ones of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(ones_like([5, 6])).tolist()
        [1, 1]
    """
    return _like(x, 1, dtype)


@op
def full_like(x: Tensor, fill_value: float, dtype: Any = None) -> Tensor:
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
    if context.now.symbolic or any(isinstance(v, KerasTensor) for v in limits):
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
