"""Tensors: a subclass of `numpy.ndarray`."""

from typing import Any

import numpy as np

from keras_fn.core import tree
from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.settings import settings


class Tensor(np.ndarray):
    """An array on which NumPy's operators and functions mean what the contract wants.

    A Python number takes the dtype of a bfloat16 tensor, too, NaN and infinities warn nobody, and
    a result without axes is still a tensor.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Every operator and elementwise function comes here."""
        weak = (bool, int, float) if self.dtype.kind == "V" else ()  # what ml_dtypes has
        plain = [np.asarray(x, self.dtype) if type(x) in weak else _plain(x) for x in inputs]
        options = tree.map_structure(_plain, options)
        with np.errstate(all="ignore"):
            return tree.map_structure(_tensor, getattr(ufunc, method)(*plain, **options))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Every other function of NumPy comes here."""
        args, kwargs = tree.map_structure(_plain, [args, kwargs])
        with np.errstate(all="ignore"):
            return tree.map_structure(_tensor, function(*args, **kwargs))

    def __getitem__(self, key: Any) -> Any:
        return _tensor(np.asarray(self)[key])


def _plain(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, Tensor) else x


def _tensor(x: Any) -> Any:
    return np.asarray(x).view(Tensor) if isinstance(x, (np.ndarray, np.generic)) else x


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of this backend: other arrays are none."""
    return isinstance(x, Tensor)


def is_traced(x: Any) -> bool:
    """NumPy makes no graphs."""
    del x
    return False


def convert_to_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """Makes a tensor. Python floats are `floatx()`, Python integers int32."""
    if isinstance(x, Tensor):
        return x if dtype is None else cast(x, dtype)
    if dtype is None and not hasattr(x, "dtype"):
        dtype = {"f": settings.floatx, "i": "int32"}.get(np.asarray(x).dtype.kind)
    return _tensor(np.array(x, None if dtype is None else numpy_dtype(dtype)))


def convert_to_numpy(x: Tensor) -> np.ndarray:
    """A copy, which the caller may change."""
    return np.array(x)


@np.errstate(all="ignore")
def cast(x: Any, dtype: Any) -> Tensor:
    """Converts to another dtype."""
    return x.astype(numpy_dtype(standardize_dtype(dtype)), copy=False)


def dtype_name(x: Any) -> str:
    """The name of the dtype of `x`, or of `x` if it is one."""
    return standardize_dtype(getattr(x, "dtype", x))


def shape(x: Tensor) -> tuple[int, ...]:
    """The sizes."""
    return x.shape


def from_numpy(x: np.ndarray) -> Tensor:
    """The same memory."""
    return _tensor(x)


def view(x: Any, dtype: Any = None) -> Any:
    """The same bytes."""
    native = x.dtype if dtype is None else numpy_dtype(dtype)
    if x.dtype.itemsize == native.itemsize:
        return np.ascontiguousarray(x).view(native).reshape(x.shape)
    return np.ascontiguousarray(x).view(native)
