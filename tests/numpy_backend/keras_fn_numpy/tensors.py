"""Tensors: a subclass of `numpy.ndarray`."""

from typing import Any

import numpy as np

from keras_fn.core import tree
from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.core.host_data import to_array


class Tensor(np.ndarray):
    """An array on which NumPy's operators and functions behave as the contract requires.

    A Python number takes the dtype of a bfloat16 tensor, NaN and infinities do not warn, and a
    result without axes is still a tensor.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Implements every operator and elementwise function."""
        weak = (bool, int, float) if self.dtype.kind == "V" else ()  # a dtype of ml_dtypes
        plain = [np.asarray(x, self.dtype) if type(x) in weak else as_array(x) for x in inputs]
        options = tree.map_structure(as_array, options)
        with np.errstate(all="ignore"):
            return tree.map_structure(as_tensor, getattr(ufunc, method)(*plain, **options))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Implements every other function of NumPy."""
        args, kwargs = tree.map_structure(as_array, [args, kwargs])
        with np.errstate(all="ignore"):
            return tree.map_structure(as_tensor, function(*args, **kwargs))

    def __getitem__(self, key: Any) -> Any:
        return as_tensor(np.asarray(self)[key])


def as_array(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, Tensor) else x


def as_tensor(x: Any) -> Any:
    return np.asarray(x).view(Tensor) if isinstance(x, (np.ndarray, np.generic)) else x


def is_tensor(x: Any) -> bool:
    """Returns whether `x` is a tensor of this backend: other arrays are not."""
    return isinstance(x, Tensor)


def is_traced(x: Any) -> bool:
    """Returns False: NumPy does not trace."""
    del x
    return False


def convert_to_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """Converts to a tensor. Python floats become `floatx()`, Python integers int32."""
    if isinstance(x, Tensor):
        return x if dtype is None else cast(x, dtype)
    x, dtype = to_array(x, dtype)
    return as_tensor(np.array(x, None if dtype is None else numpy_dtype(dtype)))


def convert_to_numpy(x: Tensor, copy: bool = True) -> np.ndarray:
    """Returns a copy, which the caller may change."""
    return np.array(x) if copy else np.asarray(x)


@np.errstate(all="ignore")
def cast(x: Any, dtype: Any) -> Tensor:
    """Casts to another dtype."""
    return x.astype(numpy_dtype(standardize_dtype(dtype)), copy=False)


def dtype_name(x: Any) -> str:
    """Returns the name of the dtype of `x`, or of `x` if it is a dtype."""
    return standardize_dtype(getattr(x, "dtype", x))


def shape(x: Tensor) -> tuple[int, ...]:
    """Returns the sizes."""
    return x.shape


def from_numpy(x: np.ndarray) -> Tensor:
    """Shares the memory of the array."""
    return as_tensor(x)


def view(x: Any, dtype: Any = None) -> Any:
    """`ndarray.view`, of a contiguous array."""
    native = x.dtype if dtype is None else numpy_dtype(dtype)
    if x.dtype.itemsize == native.itemsize:
        return np.ascontiguousarray(x).view(native).reshape(x.shape)
    return np.ascontiguousarray(x).view(native)
