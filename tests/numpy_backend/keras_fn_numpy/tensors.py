"""Tensors and variables: NumPy arrays of a class of their own, which an assignment replaces."""

from collections.abc import Callable
from functools import wraps
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


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> Tensor:
    """The state is a tensor that nobody else holds."""
    del trainable, name
    return _tensor(np.array(value, numpy_dtype(dtype)))


def assign(handle: Tensor, value: Tensor) -> Tensor:
    """A new tensor: what was read before stays as it is."""
    del handle
    return value.copy()


def assign_add(handle: Tensor, value: Any) -> Tensor:
    """The sum replaces the old tensor."""
    return handle + value


def set_trainable(handle: Tensor, trainable: bool) -> None:
    """There are no gradients that might be wanted."""


def borrow(x: np.ndarray) -> Tensor:
    """The same memory."""
    return _tensor(x)


batch_rows = borrow


def batch_indices(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """The indices of each batch."""
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def gather_rows(x: Tensor, indices: np.ndarray) -> Tensor:
    """The samples of a batch."""
    return x[indices]


def wide(x: Any) -> Any:
    """A tensor of small floats in float32, anything else as it is."""
    # NumPy counts bfloat16 as "V", a thing, and does not know the order of its NaN.
    small = is_tensor(x) and x.dtype.kind in "fV" and x.dtype.itemsize < 4
    return x.astype("float32") if small else x


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Computes small floats in 32 bits; the results have the dtype of the first tensor.

    Except that a complex number and a real one never become each other.
    """

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        dtype = next(x.dtype for x in tree.flatten(args) if is_tensor(x))
        is_complex = dtype.kind == "c"

        def back(y: Any) -> Any:
            return y.astype(dtype, copy=False) if (y.dtype.kind == "c") == is_complex else y

        results = function(*tree.map_structure(wide, args), **options)
        return tuple(map(back, results)) if isinstance(results, tuple) else back(results)

    return call
