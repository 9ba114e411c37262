"""Byte strings of many lengths in one array, as vectorized hash functions read them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_PADDING = 64  # bytes that may be read after the last string


class ByteStrings(NamedTuple):
    """Byte strings in one buffer.

    Attributes:
        buffer: The bytes, of dtype uint8, with 64 more after the last string.
        starts: The position of the first byte of each string: int64.
        lengths: The number of bytes of each string: int64.
    """

    buffer: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def words(self, dtype: str) -> np.ndarray:
        """Returns the little-endian word that begins at each byte of the buffer.

        Args:
            dtype: `"<u8"` or `"<u4"`.
        """
        size = np.dtype(dtype).itemsize
        return np.ndarray((len(self.buffer) - size + 1,), dtype, self.buffer, strides=(1,))


def pack_bytes(strings: Sequence[bytes]) -> ByteStrings:
    """Returns byte strings in one buffer.

    Args:
        strings: The strings.

    Example:
        >>> pack_bytes([b"ab", b"", b"c"]).lengths.tolist()
        [2, 0, 1]
    """
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    buffer = np.frombuffer(b"".join([*strings, b"\0" * _PADDING]), np.uint8)
    return ByteStrings(buffer, np.cumsum(lengths) - lengths, lengths)


def pack_decimals(numbers: np.ndarray) -> ByteStrings:
    """Returns integers as decimal strings in one buffer.

    Args:
        numbers: Integers of shape `(count,)`.
    """
    width = 20  # of the smallest int64 and of the largest uint64
    text = numbers.astype(f"S{width}")
    padded = np.zeros(len(text) * width + _PADDING, np.uint8)
    padded[: len(text) * width] = np.frombuffer(text.tobytes(), np.uint8)
    lengths = np.strings.str_len(text).astype(np.int64)
    return ByteStrings(padded, np.arange(len(text)) * width, lengths)
