"""Dtype names, and the promotion rule: JAX's lattice with weak Python scalars.

A dtype is a string everywhere in the frontend. The Python types `bool`, `int` and `float` are the
weak dtypes of Python scalars, which yield to the dtype of any tensor of the same kind.
Reference: "Design of Type Promotion Semantics for JAX", JEP 9407.
"""

from typing import Any

import ml_dtypes
import numpy as np

from keras_fn.backend.loader import current, supports
from keras_fn.core.memoize import memoize
from keras_fn.core.tracing import assume_constant_result
from keras_fn.errors import SpecError
from keras_fn.settings import settings
from keras_fn.types import DTypeLike

FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
FLOATS = ("float16", "bfloat16", "float32", "float64", *FLOAT8)
INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")
_EPSILONS = {name: float(ml_dtypes.finfo(name).eps) for name in FLOATS}
ALL = ("bool", *INTS, *FLOATS, *COMPLEX, "string")

# The promotion lattice: each dtype and its direct successors. `int*` and `float*` are weak.
_WIDENS_TO = {
    "bool": ("int*",),
    "int*": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "int8": ("int16",),
    "uint16": ("int32", "uint32"),
    "int16": ("int32",),
    "uint32": ("int64", "uint64"),
    "int32": ("int64",),
    "uint64": ("float*",),
    "int64": ("float*",),
    "float*": (*FLOAT8, "bfloat16", "float16", "complex*"),
    "float8_e4m3fn": ("float16",),  # as in Keras: 8-bit floats yield to 16-bit ones
    "float8_e5m2": ("float16",),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex*": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_WEAK: dict[Any, str] = {bool: "bool", int: "int*", float: "float*", complex: "complex*"}


def _reachable(name: str) -> frozenset[str]:
    names = {name}
    for wider in _WIDENS_TO[name]:
        names |= _reachable(wider)
    return frozenset(names)


_UPPER_BOUNDS = {name: _reachable(name) for name in _WIDENS_TO}


def standardize_dtype(dtype: DTypeLike | None) -> str:
    """Returns the name of a dtype.

    Args:
        dtype: None (for `floatx()`), a name, a Python type or its name (`"int"` is int32, `"float"`
            float32), a NumPy dtype, or a dtype of one of the frameworks.

    Raises:
        ValueError: It is not a dtype.

    Example:
        >>> import numpy as np
        >>> standardize_dtype(np.dtype("int8"))
        'int8'
    """
    if dtype is None:
        return settings.floatx
    if isinstance(dtype, str) and dtype in _NAMES:
        return dtype
    name = _PYTHON_TYPES.get(dtype) if isinstance(dtype, (type, str)) else None
    if name is None:
        # torch.float32 prints as "torch.float32"; tf.float32 and np.dtype have a name.
        name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
        name = {"bool_": "bool", "str_": "string"}.get(name, name).removeprefix("torch.")
    if name not in _NAMES:
        raise SpecError(
            "standardize_dtype",
            expected=f"a dtype: one of {', '.join(ALL)}",
            received=repr(dtype)[:100],
            fix="pass the name of a dtype, a NumPy dtype, or one of the backend",
        )
    return name


_NAMES = frozenset(ALL)
_PYTHON_TYPES: dict[Any, str] = {
    bool: "bool",
    int: "int32",
    float: "float32",
    complex: "complex64",
    str: "string",
}
_PYTHON_TYPES |= {kind.__name__: name for kind, name in _PYTHON_TYPES.items()}  # by name, too


def stored_dtype(name: str) -> str:
    """Returns the dtype in which the backend stores values of a dtype: JAX, without its x64 mode,
    stores 64-bit dtypes in 32 bits."""
    if name in _WIDE and supports("stored_dtype"):
        backend: Any = current()
        return backend.stored_dtype(name)
    return name


_WIDE = frozenset(("float64", "int64", "uint64", "complex128"))


def result_type(*dtypes: DTypeLike | None) -> str:
    """Returns the dtype to which values of these dtypes are promoted.

    Args:
        *dtypes: Dtypes in any form; `bool`, `int` and `float` are weak, as of Python scalars.

    Returns:
        The name of the dtype. Python scalars alone are promoted to `int32` or `floatx()`.

    Example:
        >>> result_type("int32", "float16")
        'float16'
        >>> result_type("int8", float)
        'float32'
    """
    if not dtypes:
        return settings.floatx
    return _result_type(dtypes, settings.floatx)


@memoize
def _result_type(dtypes: tuple[Any, ...], floatx: str) -> str:
    names: set[str] = {_WEAK.get(d) or standardize_dtype(d) for d in dtypes}
    if names == {"string"}:
        return "string"
    common = frozenset.intersection(*(_UPPER_BOUNDS[n] for n in names))
    least: str = min(common, key=lambda n: -len(_UPPER_BOUNDS[n]))
    return {"int*": "int32", "float*": floatx, "complex*": "complex64"}.get(least, least)


def float_type(*dtypes: DTypeLike | None) -> str:
    """Returns the promoted dtype of a result that is always a float, such as a quotient."""
    return result_type(*dtypes, float)


def accumulator_type(dtype: DTypeLike | None) -> str:
    """Returns the dtype in which values of `dtype` are summed."""
    name = result_type(dtype)
    if name in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if name in ("uint8", "uint16") else name


def mean_accumulator_type(dtype: DTypeLike | None) -> str:
    """Returns the dtype in which a mean of `dtype` is summed: a sum of float16 may be infinite."""
    name = result_type(dtype)
    return "float32" if name in ("float16", "bfloat16") else name


@assume_constant_result
def limits(name: str) -> tuple[Any, Any]:
    """Returns the smallest and the largest number of a dtype: integers, or finite floats."""
    if name == "bool":
        return 0, 1
    kind = numpy_dtype(name)
    if is_int(name):
        return int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    finfo = ml_dtypes.finfo(kind)
    return float(finfo.min), float(finfo.max)


def machine_epsilon(name: str) -> float:
    """Returns the distance from 1 to the next number of a floating-point dtype."""
    return _EPSILONS[name]  # a table: Dynamo traces the lookup, and takes the number for a constant


def range_of(low: float, high: float, dtype: str) -> tuple[float, float]:
    """Returns the smallest and the largest number of a float dtype in [low, high)."""
    kind = numpy_dtype(dtype).type
    first, last = kind(low), kind(high)
    if float(first) < low:
        first = np.nextafter(first, kind(np.inf))
    if float(last) >= high:
        last = np.nextafter(last, kind(-np.inf))
    return float(first), max(float(first), float(last))


def is_float(dtype: str) -> bool:
    """Returns whether `dtype` is the name of a floating-point dtype."""
    return dtype in FLOATS


def is_int(dtype: str) -> bool:
    """Returns whether `dtype` is the name of an integer dtype; `bool` is not."""
    return dtype in INTS


def is_float_dtype(dtype: DTypeLike | None) -> bool:
    """Returns whether `dtype`, in any form, is a floating-point dtype.

    Example:
        >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
        (True, False)
    """
    return is_float(standardize_dtype(dtype))


def is_int_dtype(dtype: DTypeLike | None) -> bool:
    """Returns whether `dtype`, in any form, is an integer dtype.

    Example:
        >>> is_int_dtype("uint8"), is_int_dtype("bool")
        (True, False)
    """
    return is_int(standardize_dtype(dtype))


def itemsize(dtype: str) -> int:
    """Returns the size of an element in bytes."""
    return numpy_dtype(dtype).itemsize


def numpy_dtype(name: str) -> np.dtype:
    """Returns the NumPy dtype of a name, including the dtypes of ml_dtypes."""
    extra = getattr(ml_dtypes, name, None)
    return np.dtype(extra if extra is not None else name)
