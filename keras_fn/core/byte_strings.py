"""Byte strings of many lengths in one array, as vectorized functions of text read them."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

PADDING = 64
"""The number of bytes that may be read after the last string."""

_ASCII = 128
_POWERS_OF_TEN = np.array([10**exponent for exponent in range(1, 20)], np.uint64)


class ByteStrings(NamedTuple):
    """Byte strings in one buffer.

    Attributes:
        buffer: The bytes, of dtype uint8, with `PADDING` more after the last string.
        starts: The position of the first byte of each string: int64.
        lengths: The number of bytes of each string: int64.
    """

    buffer: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def words(self, dtype: str = "<u8") -> np.ndarray:
        """Returns the little-endian word that begins at each byte of the buffer.

        Args:
            dtype: `"<u8"` or `"<u4"`.
        """
        size = np.dtype(dtype).itemsize
        return np.ndarray((len(self.buffer) - size + 1,), dtype, self.buffer, strides=(1,))

    def take(self, rows: np.ndarray | slice) -> "ByteStrings":
        """Returns some of the strings.

        Args:
            rows: Their positions, a boolean for each string, or a slice.
        """
        return ByteStrings(self.buffer, self.starts[rows], self.lengths[rows])

    def tolist(self) -> list[bytes]:
        """Returns the strings as a list."""
        data = self.buffer.tobytes()
        ends = (self.starts + self.lengths).tolist()
        return [data[start:end] for start, end in zip(self.starts.tolist(), ends, strict=True)]


def pack_bytes(strings: Sequence[bytes]) -> ByteStrings:
    """Returns byte strings in one buffer.

    Args:
        strings: The strings.

    Example:
        >>> pack_bytes([b"ab", b"", b"c"]).lengths.tolist()
        [2, 0, 1]
    """
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    return ByteStrings(pad_buffer(b"".join(strings)), np.cumsum(lengths) - lengths, lengths)


def pad_buffer(data: bytes | np.ndarray) -> np.ndarray:
    """Returns bytes as the buffer of `ByteStrings`.

    Args:
        data: The bytes.
    """
    buffer = np.empty(len(data) + PADDING, np.uint8)
    buffer[: len(data)] = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    buffer[len(data) :] = 0
    return buffer


def pack_decimals(numbers: np.ndarray) -> ByteStrings:
    """Returns integers as decimal strings in one buffer.

    Args:
        numbers: Integers of shape `(count,)`.
    """
    is_negative = numbers < 0
    sizes = numbers.astype(np.int64) if numbers.dtype.kind == "i" else numbers.astype(np.uint64)
    sizes = np.where(is_negative, -sizes, sizes).view(np.uint64)  # -2**63 is its own negative
    largest = int(sizes.max(initial=0))
    groups = -(-len(str(largest)) // 4)
    digits = np.zeros((len(sizes), groups + 1), np.uint32)  # four in each; the first for a sign
    rest = sizes.astype(np.uint32) if largest < 2**32 else sizes
    for group in range(groups, 0, -1):
        rest, last = np.divmod(rest, rest.dtype.type(10_000))
        digits[:, group] = _four_digits().take(last.astype(np.intp))
    lengths = np.searchsorted(_POWERS_OF_TEN, sizes, side="right") + 1
    buffer = pad_buffer(digits.view(np.uint8).ravel())
    starts = np.arange(1, len(sizes) + 1) * (4 * groups + 4) - lengths
    starts -= is_negative
    buffer[starts[is_negative]] = ord("-")
    return ByteStrings(buffer, starts, lengths + is_negative)


@cache
def _four_digits() -> np.ndarray:
    """Returns the four bytes of each number below 10,000 as a number."""
    return np.frombuffer(b"".join(b"%04d" % n for n in range(10_000)), np.uint32)


def pack_array(array: np.ndarray) -> ByteStrings | None:
    """Returns an array of text of one of NumPy's own dtypes as byte strings.

    Args:
        array: An array of dtype `S`, or of dtype `U` with nothing but ASCII.

    Returns:
        The strings; None for any other array.
    """
    if not array.nbytes:  # no strings, or of no characters
        return None
    if array.dtype.kind == "S":
        return _pack_rows(_to_rows(array.ravel()))
    if array.dtype.kind != "U":
        return None
    flat = np.ascontiguousarray(array).ravel().astype(array.dtype.newbyteorder("="), copy=False)
    points = flat.view(np.uint32).reshape(len(flat), -1)
    if points.size and points.max() >= _ASCII:
        return None
    return _pack_rows(points.astype(np.uint8))


def _to_rows(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    return array.view(np.uint8).reshape(len(array), array.dtype.itemsize)


def _pack_rows(rows: np.ndarray) -> ByteStrings:
    """Returns the rows of a matrix of bytes as strings, without the zeros at their ends."""
    count, width = rows.shape
    lengths = np.zeros(count, np.int64)
    for column in range(width):
        lengths[rows[:, column] != 0] = column + 1
    return ByteStrings(pad_buffer(rows.ravel()), np.arange(count) * width, lengths)
