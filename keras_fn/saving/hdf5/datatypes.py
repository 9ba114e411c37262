"""Element types and shapes of HDF5 datasets and attributes, as Keras stores them.

HDF5 has no bfloat16 or float8: they are opaque bytes beside an attribute `dtype` with the name.

Reference: HDF5 File Format Specification 3.0, sections IV.A.2.b and IV.A.2.d.
"""

import dataclasses
import struct

import ml_dtypes
import numpy as np

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
    """Returns the dtype of each datatype message that stands for one."""
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
    """Returns the dtype that a datatype message describes, None if it is not one of a weight.

    Only the standard types count: a message can describe others, such as floats with other
    exponents. Opaque types of one or two bytes give `V1` or `V2`.
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
    """Text of `itemsize` bytes an element, or, with `is_vlen`, a reference of 16 bytes to it."""

    itemsize: int
    is_vlen: bool


def text_type(message: bytes) -> TextType | None:
    """Returns the type of text that a datatype message describes, None if it is not one."""
    kind, bits, size = _TYPE.unpack_from(message)
    if kind & 15 == _STRING:
        return TextType(size, False)
    is_text = kind & 15 == _VLEN and bits[0] & 15 == _VLEN_OF_TEXT and size == 16
    return TextType(size, True) if is_text else None


def read_shape(message: bytes) -> tuple[int, ...]:
    """Returns the shape that a dataspace message describes."""
    version, rank, _, kind = struct.unpack_from("<4B", message)
    if (
        version not in (1, 2)
        or (version == 2 and kind not in (0, 1))
        or rank > current_limits().rank
    ):
        raise unsupported_hdf5_error(
            "the shape is unusual",
            f"at most {current_limits().rank} dimensions",
            f"{rank} dimensions, form {version}",
        )
    shape = struct.unpack_from(f"<{rank}Q", message, 8 if version == 1 else 4)
    if any(size >= 2**63 for size in shape):
        raise unsupported_hdf5_error("a size is too large", received=shape)
    return shape


def to_storable(array: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Returns the array h5py should write and the value of its `dtype` attribute.

    Raises:
        TypeError: No file can hold this dtype.
    """
    name = array.dtype.name
    if name in OPAQUE_DTYPES:
        return array.view(f"V{array.dtype.itemsize}"), name
    if name not in _STORABLE:
        raise TypeError(f"cannot save an array of dtype {name}")
    return array.astype(array.dtype.newbyteorder("<"), copy=False), None


def can_read_as(found: np.dtype, wanted: np.dtype) -> bool:
    """Tells whether `found` may be read as `wanted`: any float as a float, others without loss."""
    if found == wanted or is_unnamed(found, wanted):
        return True
    if _is_float(found) and _is_float(wanted):
        return True
    same_kind = (found.kind == wanted.kind == "c") or (found.kind in "iu" and wanted.kind in "iu")
    return same_kind and np.can_cast(found, wanted, "safe")


def is_unnamed(found: np.dtype, wanted: np.dtype) -> bool:
    """Tells whether `found` is nameless bytes, as in Keras's legacy files, that fit `wanted`."""
    return (
        found.name.startswith("void")
        and wanted.name in OPAQUE_DTYPES
        and found.itemsize == wanted.itemsize
    )


def _is_float(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or dtype.name in OPAQUE_DTYPES
