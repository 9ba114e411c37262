"""A safe unpickler for the files of CIFAR, IMDB and Reuters: it executes no code.

A pickle is a program: its `GLOBAL` opcode names any callable of any module, and `REDUCE` calls
it. Here names resolve only through the allowlist below, to small classes of this module instead of
NumPy's own constructors. Arrays are built afterward, from validated shapes, dtypes and lengths.
"""

import pickle
import re
from math import prod
from pickle import UnpicklingError
from typing import IO, Any

import numpy as np

_DTYPES = re.compile(r"[biuf][1248]|O8?")


def load_pickle(file: IO[bytes]) -> Any:
    """Loads an array, or a dict of arrays, lists and strings, from a pickle file.

    Strings of Python 2 become bytes.

    Args:
        file: A binary file.

    Raises:
        UnpicklingError: The pickle refers to anything but the parts of a NumPy array, the data of
            an array does not match its declaration, or the pickle is damaged.
    """
    try:
        value = _Unpickler(file, encoding="bytes").load()
        if isinstance(value, dict):
            return {key: _build_array(item) for key, item in value.items()}
        return _build_array(value)
    except UnpicklingError:
        raise
    except Exception as error:  # damaged opcodes raise errors of many types
        raise UnpicklingError(f"damaged pickle: {type(error).__name__}: {error}") from error


class _DType:
    """Stand-in for `numpy.dtype(name)`; the state adds the byte order."""

    def __init__(self, name: bytes | str, *_flags: int) -> None:
        self.name, self.order = _text(name), "="
        if not _DTYPES.fullmatch(self.name):
            raise UnpicklingError(f"dtype {self.name!r:.50} is not a plain number or object")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = _text(state[1])
        if order not in ("<", ">", "|", "="):
            raise UnpicklingError(f"byte order {order!r:.50}")
        self.order = order

    def build(self) -> np.dtype:
        return np.dtype(object) if self.name[0] == "O" else np.dtype(self.order + self.name)


class _Array:
    """Stand-in for a NumPy array until its state is validated."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, is_fortran, data = state
        if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
            raise UnpicklingError(f"shape {shape!r:.50}")
        if not isinstance(dtype, _DType):
            raise UnpicklingError(f"dtype {dtype!r:.50}")
        self.shape, self.dtype, self.data = shape, dtype.build(), data
        self.order: Any = "F" if is_fortran else "C"

    def build(self) -> np.ndarray:
        count = prod(self.shape)
        if self.dtype.hasobject:
            if not (isinstance(self.data, list) and len(self.data) == count):
                raise UnpicklingError(f"an array of {count} objects with missing elements")
            array = np.empty(count, object)
            array[:] = [_check_flat_list(item) for item in self.data]
        else:
            size = count * self.dtype.itemsize
            if not (isinstance(self.data, bytes) and len(self.data) == size):
                raise UnpicklingError(f"an array of {size} bytes with missing bytes")
            array = np.frombuffer(self.data, self.dtype).copy()
        return array.reshape(self.shape, order=self.order)


def _new_array(*_class_shape_and_typecode: object) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    """Stand-in for `_codecs.encode`, with which Python 3 writes bytes in protocol 2."""
    if encoding not in ("latin1", "latin-1"):
        raise UnpicklingError(f"encoding {encoding!r:.50}")
    return text.encode("latin-1")


_ALLOWLIST = {
    ("numpy", "dtype"): _DType,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _new_array,
    ("numpy._core.multiarray", "_reconstruct"): _new_array,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _ALLOWLIST[module_name, global_name]
        except KeyError:
            raise UnpicklingError(f"{module_name}.{global_name} is not data") from None


def _build_array(value: Any) -> Any:
    """Replaces the stand-in of an array by the array."""
    if isinstance(value, _Array):
        return value.build()
    return value if isinstance(value, (bytes, str, int)) else _check_flat_list(value)


def _check_flat_list(value: Any) -> list[Any]:
    # No nesting: a few bytes of pickle can nest one list in itself, or double it many times.
    if isinstance(value, list) and {int, float, bytes, str}.issuperset(map(type, value)):
        return value
    raise UnpicklingError(f"a {type(value).__name__} instead of a list of numbers or strings")


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
