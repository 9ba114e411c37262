"""Dtype names, and the promotion rule: JAX's lattice with weak Python scalars.

A dtype is a string everywhere in the frontend. The Python types `bool`, `int` and `float` stand
for the weak dtypes of Python scalars, which give way to the dtype of any tensor of their kind.
Source: "Design of Type Promotion Semantics for JAX", JEP 9407.
"""

from typing import Any

import ml_dtypes
import numpy as np

from keras_fn.core.memoize import memoize
from keras_fn.settings import settings

FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
FLOATS = ("float16", "bfloat16", "float32", "float64", *FLOAT8)
INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")
ALL = ("bool", *INTS, *FLOATS, *COMPLEX, "string")

# Each dtype and what it may widen to, one step. `int*` and `float*` are the weak kinds.
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
    "float8_e4m3fn": ("float16",),  # Keras: 8-bit floats give way to 16-bit ones
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
    found = {name}
    for wider in _WIDENS_TO[name]:
        found |= _reachable(wider)
    return frozenset(found)


_UPPER_BOUNDS = {name: _reachable(name) for name in _WIDENS_TO}


def standardize_dtype(dtype: Any) -> str:
    """Returns the name of `dtype`, whatever form it comes in.

    Args:
        dtype: None (for `floatx()`), a name, a Python type, a NumPy dtype, or a dtype of any of
            the frameworks.

    Raises:
        ValueError: It is no dtype.

    Example:
        >>> import numpy as np
        >>> standardize_dtype(np.dtype("int8"))
        'int8'
    """
    if dtype is None:
        return settings.floatx
    if isinstance(dtype, str) and dtype in _NAMES:
        return dtype
    name = _PYTHON_TYPES.get(dtype) if isinstance(dtype, type) else None
    if name is None:
        # torch.float32 prints as "torch.float32"; tf.float32 and np.dtype have a name.
        name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
        name = {"bool_": "bool", "str_": "string"}.get(name, name).removeprefix("torch.")
    if name not in _NAMES:
        raise ValueError(f"{dtype!r} is no dtype; one of {', '.join(ALL)} was expected.")
    return name


_NAMES = frozenset(ALL)
_PYTHON_TYPES = {bool: "bool", int: "int32", float: "float32", str: "string"}


def result_type(*dtypes: Any) -> str:
    """Returns the dtype in which values of these dtypes meet.

    Args:
        *dtypes: Dtypes in any form; `bool`, `int` and `float` stand for Python scalars.

    Returns:
        The name of the dtype. Python scalars alone give `int32`, or `floatx()`.

    Example:
        >>> result_type("int32", "float16")
        'float16'
        >>> result_type("int8", float)
        'float32'
    """
    if not dtypes:
        return settings.floatx
    return _result_type(
        tuple(d if d in _WEAK else standardize_dtype(d) for d in dtypes), settings.floatx
    )


@memoize
def _result_type(dtypes: tuple[Any, ...], floatx: str) -> str:
    names: set[str] = {_WEAK.get(d) or d for d in dtypes}
    if names == {"string"}:
        return "string"
    common = frozenset.intersection(*(_UPPER_BOUNDS[n] for n in names))
    least: str = min(common, key=lambda n: -len(_UPPER_BOUNDS[n]))
    return {"int*": "int32", "float*": floatx, "complex*": "complex64"}.get(least, least)


def float_type(*dtypes: Any) -> str:
    """Returns the dtype of a result that cannot be an integer (a quotient, an exponential)."""
    return result_type(*dtypes, float)


def accumulator_type(dtype: Any) -> str:
    """Returns the dtype in which values of `dtype` are summed."""
    name = result_type(dtype)
    if name in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if name in ("uint8", "uint16") else name


def is_float(dtype: str) -> bool:
    """Whether `dtype` is a floating-point dtype."""
    return dtype in FLOATS


def is_int(dtype: str) -> bool:
    """Whether `dtype` is an integer dtype (`bool` is none)."""
    return dtype in INTS


def is_float_dtype(dtype: Any) -> bool:
    """Whether `dtype`, in any form, is a floating-point dtype.

    Example:
        >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
        (True, False)
    """
    return is_float(standardize_dtype(dtype))


def is_int_dtype(dtype: Any) -> bool:
    """Whether `dtype`, in any form, is an integer dtype.

    Example:
        >>> is_int_dtype("uint8"), is_int_dtype("bool")
        (True, False)
    """
    return is_int(standardize_dtype(dtype))


def itemsize(dtype: str) -> int:
    """Returns the bytes an element takes."""
    return numpy_dtype(dtype).itemsize


def numpy_dtype(name: str) -> np.dtype:
    """Returns the NumPy dtype of that name, the ml_dtypes ones among them."""
    extra = getattr(ml_dtypes, name, None)
    return np.dtype(extra if extra is not None else name)
