"""Tensors and variables: NumPy arrays, which an assignment replaces."""

from typing import Any, TypeAlias

import numpy as np

from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.settings import settings

Tensor: TypeAlias = np.ndarray | np.generic  # NumPy gives scalars where an array has no axes


def is_tensor(x: Any) -> bool:
    """Whether `x` is an array or a scalar of NumPy."""
    return isinstance(x, Tensor)


def is_traced(x: Any) -> bool:
    """NumPy makes no graphs."""
    del x
    return False


def convert_to_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """Makes an array. Python floats are `floatx()`, Python integers int32."""
    if is_tensor(x):
        return x if dtype is None else cast(x, dtype)
    if dtype is None and not hasattr(x, "dtype"):
        dtype = {"f": settings.floatx, "i": "int32"}.get(np.asarray(x).dtype.kind)
    return np.array(x, None if dtype is None else numpy_dtype(dtype))


def convert_to_numpy(x: Tensor) -> np.ndarray:
    """A copy, which the caller may change."""
    return np.array(x)


@np.errstate(all="ignore")
def cast(x: Tensor, dtype: Any) -> Tensor:
    """Converts to another dtype."""
    return x.astype(numpy_dtype(standardize_dtype(dtype)), copy=False)


def dtype_name(x: Any) -> str:
    """The name of the dtype of `x`, or of `x` if it is one."""
    return standardize_dtype(getattr(x, "dtype", x))


def shape(x: Tensor) -> tuple[int, ...]:
    """The sizes."""
    return x.shape


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> Tensor:
    """The state is an array that nobody else holds."""
    del trainable, name
    return np.array(value, numpy_dtype(dtype))


def assign(handle: Tensor, value: Tensor) -> Tensor:
    """A new array: what was read before stays as it is."""
    del handle
    return np.array(value)


@np.errstate(all="ignore")
def assign_add(handle: Tensor, value: Any) -> Tensor:
    """The sum, in the dtype that the variable has."""
    return np.asarray(handle + value, handle.dtype)


def set_trainable(handle: Tensor, trainable: bool) -> None:
    """There are no gradients that might be wanted."""


def borrow(x: np.ndarray) -> Tensor:
    """An array is a tensor already."""
    return x


def batch_indices(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """The indices of each batch."""
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def gather_rows(x: np.ndarray, indices: np.ndarray) -> Tensor:
    """The samples of a batch."""
    return x[indices]
