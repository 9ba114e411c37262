"""Data on the host as arrays: numbers, NumPy arrays, and nested lists that may hold tensors.

Backends call `to_array` in `convert_to_tensor`, so that one rule decides the dtype on all of them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_fn.backend.loader import current, supports
from keras_fn.core.dtypes import result_type, standardize_dtype
from keras_fn.core.host_text import TEXT_FIX, is_text, is_text_array
from keras_fn.core.keras_tensor import SymbolicConversionError
from keras_fn.core.shapes import is_compatible
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import settings

_SCALARS = (bool, int, float, complex)
_LISTS = (list, tuple)

# NumPy makes these of Python numbers, so in a list they are as weak as a Python number.
_NUMPY_DEFAULTS = {"float64": float, "int64": int, "complex128": complex}


def to_array(x: Any, dtype: str | None = None) -> tuple[Any, str | None]:
    """Returns data as an array, and the dtype that its tensor is to have.

    Args:
        x: A number, an array, or nested lists of numbers, arrays, tensors and variables; not a
            tensor itself.
        dtype: The dtype that was asked for, or None.

    Returns:
        An array and a dtype: `dtype`, or by default that of an array, and of a list the one to
        which its elements are promoted. If there are tensors in a list, a tensor of that dtype.

    Raises:
        TypeError: It holds something else than numbers or text.
        ValueError: The elements of a list have different shapes.
    """
    if isinstance(x, _LISTS) and not _is_plain(x):
        leaves = list(_leaves(x))
        dtype = dtype or result_type(*map(_weak_dtype, leaves))
        if any(map(_is_tensor, leaves)):
            return _stack(x, dtype), dtype
    try:
        array = np.asarray(x)
    except SymbolicConversionError:
        raise
    except ValueError as error:  # NumPy names the first axis of different sizes
        raise _shape_error(str(error)) from error
    if array.dtype.kind in "OUST" and not (supports("text_tensors") and is_text_array(array)):
        raise _not_numbers(x)
    if dtype is None and (not hasattr(x, "dtype") or isinstance(x, (float, complex))):
        dtype = _default_dtype(array)  # NumPy's float64 and complex128 are Python's, too
    return array, dtype


def _is_plain(x: Any) -> bool:
    """Returns whether nested lists hold nothing but Python numbers."""
    types = set(map(type, x))
    if types.issubset(_SCALARS):
        return True
    return types.issubset(_LISTS) and all(map(_is_plain, x))


def _leaves(x: Any) -> Iterator[Any]:
    for item in x:
        if isinstance(item, _LISTS):
            yield from _leaves(item)
        else:
            yield item


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Variable) or current().is_tensor(x)


def _weak_dtype(x: Any) -> Any:
    """Returns the dtype of an element of a list; that of a number is weak."""
    if type(x) in _SCALARS:
        return type(x)
    if isinstance(x, Variable):
        return x.dtype
    if current().is_tensor(x):
        return current().dtype_name(x)
    array = np.asarray(x)
    if array.dtype.kind == "O" and not is_text_array(array):
        raise _not_numbers(x)
    name = "string" if array.dtype.kind in "USOT" else standardize_dtype(array.dtype)
    return _NUMPY_DEFAULTS.get(name, name)


def _default_dtype(array: np.ndarray) -> str | None:
    """Returns the dtype of Python numbers: the narrowest default that holds integers."""
    if array.dtype.kind == "f":
        return settings.floatx
    if array.dtype.kind == "i" and array.size:
        fits = array.min() >= -(2**31) and array.max() < 2**31
        return "int32" if fits else "int64"
    return {"i": "int32", "c": "complex64"}.get(array.dtype.kind)


def _stack(x: Any, dtype: str) -> Any:
    """Returns nested lists with tensors among their elements as one tensor."""
    backend = current()
    if not isinstance(x, _LISTS):
        return backend.convert_to_tensor(x.value if isinstance(x, Variable) else x, dtype)
    if not x:
        return backend.convert_to_tensor(np.zeros(0), dtype)
    items = [_stack(item, dtype) for item in x]
    shapes = [tuple(item.shape) for item in items]
    if not all(is_compatible(shape, shapes[0]) for shape in shapes):
        raise _shape_error(f"shapes {', '.join(map(str, dict.fromkeys(shapes)))}")
    return backend.ops.stack(items, 0)


def _shape_error(received: str) -> SpecError:
    return SpecError(
        "A tensor",
        expected="a list whose elements have one shape",
        received=received,
        fix="pad the elements to one shape, or pass one tensor for each",
    )


def _not_numbers(x: Any) -> DTypeError:
    return DTypeError(
        "A tensor",
        expected="numbers: a number, an array or tensor, or nested lists of them",
        received=f"{x!r:.200} of type {type(x).__name__}",
        fix=TEXT_FIX if is_text(x) else "convert it to an array of numbers",
    )
