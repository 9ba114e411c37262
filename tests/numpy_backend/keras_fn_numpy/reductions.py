"""Reductions, and cumulative sums and products."""

from typing import Any

import numpy as np

from keras_fn_numpy.dtype_fallback import in_float32
from keras_fn_numpy.tensors import cast


def as_tuple(axis: Any) -> Any:
    """Converts a list of axes, which NumPy does not accept."""
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(function: Any) -> Any:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        options = {} if initial is None else {"initial": initial}
        return function(x, as_tuple(axis), keepdims=keepdims, **options)

    return in_float32(reduce)


all, any, max, min, sum = map(_reduction, (np.all, np.any, np.max, np.min, np.sum))


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """`np.prod`, computed in `dtype`."""
    return _reduction(np.prod)(x if dtype is None else cast(x, dtype), axis, keepdims)


@in_float32
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Arithmetic mean; `np.mean` would warn for empty tensors."""
    total = sum(x, axis, keepdims)
    return total / (np.size(x) / np.maximum(np.size(total), 1))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Returns the index as int32."""
    return np.argmax(x, axis, keepdims=keepdims).astype("int32")


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Returns the index as int32."""
    return np.argmin(x, axis, keepdims=keepdims).astype("int32")


def _cumulative(function: Any) -> Any:
    def run(x: Any, axis: int | None = None, dtype: str | None = None) -> Any:
        return in_float32(function)(x if dtype is None else cast(x, dtype), axis)

    return run


cumprod, cumsum = map(_cumulative, (np.cumprod, np.cumsum))
