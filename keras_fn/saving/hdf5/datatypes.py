"""Element types and shapes of HDF5 datasets and attributes, as Keras stores them.

HDF5 does not have bfloat16 or float8: they are opaque bytes, with the name in an attribute
`dtype`.

Reference: HDF5 File Format Specification 3.0, sections IV.A.2.b and IV.A.2.d.
"""

import dataclasses
import struct

import ml_dtypes
import numpy as np

from keras_fn.errors import DTypeError
from keras_fn.saving.errors import unsupported_hdf5_error
from keras_fn.saving.limits import current_limits

DTYPE_ATTRIBUTE = "dtype"

OPAQUE_DTYPES = {
    np.dtype(t).name: np.dtype(t)
    for t in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2)
}

_TYPE = struct.Struct("<B3sL")

_INTEGER, _FLOAT, _STRING, _OPAQUE, _COMPOUND, _ENUM, _VLEN = 0, 1, 3, 5, 6, 8, 9

_SIGNED, _BIG_ENDIAN, _IMPLIED_ONE = 8, 1, 0x20

_VLEN_OF_TEXT = 1

# Bytes: (exponent position, exponent bits, mantissa bits, bias).
_FLOAT_FORMATS = {2: (10, 5, 10, 15), 4: (23, 8, 23, 127), 8: (52, 11, 52, 1023)}

_MEMBER = struct.Struct("<LB3xLL4L")


def _head(kind: int, bits: tuple[int, int, int], size: int) -> bytes:
    return _TYPE.pack(1 << 4 | kind, bytes(bits), size)


def _padded(name: bytes) -> bytes:
    return name.ljust(len(name) // 8 * 8 + 8, b"\0")


def _integer(dtype: np.dtype) -> bytes:
    bits = (dtype.kind == "i") * _SIGNED | (dtype.str[0] == ">") * _BIG_ENDIAN
    return _head(_INTEGER, (bits, 0, 0), dtype.itemsize) + struct.pack("<2H", 0, 8 * dtype.itemsize)


def _float(dtype: np.dtype) -> bytes:
    size = dtype.itemsize
    position, exponent, mantissa, bias = _FLOAT_FORMATS[size]
    bits = (_IMPLIED_ONE | (dtype.str[0] == ">") * _BIG_ENDIAN, 8 * size - 1, 0)
    return _head(_FLOAT, bits, size) + struct.pack(
        "<2H4BL", 0, 8 * size, position, exponent, 0, mantissa, bias
    )


def _complex(dtype: np.dtype) -> bytes:
    half = np.dtype(f"{dtype.str[0]}f{dtype.itemsize // 2}")
    parts = ((b"r", 0), (b"i", half.itemsize))
    members = [
        _padded(name) + _MEMBER.pack(offset, 0, 0, 0, 0, 0, 0, 0) + _float(half)
        for name, offset in parts
    ]
    return _head(_COMPOUND, (2, 0, 0), dtype.itemsize) + b"".join(members)


def _boolean() -> bytes:
    return (
        _head(_ENUM, (2, 0, 0), 1)
        + _integer(np.dtype("i1"))
        + _padded(b"FALSE")
        + _padded(b"TRUE")
        + b"\0\1"
    )


def _messages() -> dict[bytes, np.dtype]:
    """Returns the supported datatype messages, with their dtypes."""
    messages = {_boolean(): np.dtype(bool)}
    for codes, encode in (
        ("i1 i2 i4 i8 u1 u2 u4 u8", _integer),
        ("f2 f4 f8", _float),
        ("c8 c16", _complex),
    ):
        for code in codes.split():
            for dtype in (np.dtype(f"<{code}"), np.dtype(f">{code}")):
                messages.setdefault(encode(dtype), dtype)
    return messages


_DTYPES = _messages()

_STORABLE = frozenset(dtype.name for dtype in _DTYPES.values())


def stored_dtype(message: bytes) -> np.dtype | None:
    """Returns the dtype of a datatype message, None if it is not supported for weights.

    Only standard types are supported: not, for example, floats with other exponents. Opaque types
    of one or two bytes are `V1` or `V2`.

    Args:
        message: The datatype message.
    """
    for length in (12, 20):  # the common ones; messages are padded to 8 bytes
        if dtype := _DTYPES.get(message[:length]):
            return dtype
    kind, bits, size = _TYPE.unpack_from(message)
    if kind & 15 == _OPAQUE and bits == bytes(3) and size in (1, 2):
        return np.dtype(f"V{size}")
    return next((dtype for known, dtype in _DTYPES.items() if message.startswith(known)), None)


@dataclasses.dataclass(frozen=True)
class TextType:
    """Strings of `itemsize` bytes, or, with `is_vlen`, references of 16 bytes to strings."""

    itemsize: int
    is_vlen: bool


def text_type(message: bytes) -> TextType | None:
    """Returns the string type of a datatype message, None if it is another type."""
    kind, bits, size = _TYPE.unpack_from(message)
    if kind & 15 == _STRING:
        return TextType(size, False)
    is_text = kind & 15 == _VLEN and bits[0] & 15 == _VLEN_OF_TEXT and size == 16
    return TextType(size, True) if is_text else None


def read_shape(message: bytes) -> tuple[int, ...]:
    """Returns the shape in a dataspace message."""
    version, rank, _, kind = struct.unpack_from("<4B", message)
    if (
        version not in (1, 2)
        or (version == 2 and kind not in (0, 1))
        or rank > current_limits().rank
    ):
        raise unsupported_hdf5_error(
            "the shape is unsupported",
            f"at most {current_limits().rank} dimensions",
            f"{rank} dimensions, form {version}",
        )
    shape = struct.unpack_from(f"<{rank}Q", message, 8 if version == 1 else 4)
    if any(size >= 2**63 for size in shape):
        raise unsupported_hdf5_error("a size is too large", received=shape)
    return shape


def to_storable(array: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Returns the array for h5py to write, and the value of its attribute `dtype`.

    Raises:
        TypeError: The dtype cannot be saved.
    """
    name = array.dtype.name
    if name in OPAQUE_DTYPES:
        return array.view(f"V{array.dtype.itemsize}"), name
    if name not in _STORABLE:
        raise DTypeError(
            "Saving an array",
            expected=f"one of the dtypes {', '.join(sorted(_STORABLE | OPAQUE_DTYPES.keys()))}",
            received=name,
            fix="cast it before it is saved",
        )
    return array.astype(array.dtype.newbyteorder("<"), copy=False), None


def can_read_as(stored: np.dtype, dtype: np.dtype) -> bool:
    """Returns whether a stored dtype can be converted: a float to any float, others losslessly.

    Args:
        stored: The dtype in the file.
        dtype: The dtype of the array.
    """
    if stored == dtype or is_unnamed(stored, dtype):
        return True
    if _is_float(stored) and _is_float(dtype):
        return True
    same_kind = (stored.kind == dtype.kind == "c") or (stored.kind in "iu" and dtype.kind in "iu")
    return same_kind and np.can_cast(stored, dtype, "safe")


def is_unnamed(stored: np.dtype, dtype: np.dtype) -> bool:
    """Returns whether a stored dtype is opaque bytes of the size of `dtype`, as in legacy files.

    Args:
        stored: The dtype in the file.
        dtype: The dtype of the array.
    """
    return (
        stored.name.startswith("void")
        and dtype.name in OPAQUE_DTYPES
        and stored.itemsize == dtype.itemsize
    )


def _is_float(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or dtype.name in OPAQUE_DTYPES
