"""A bounded, read-only window on an open file."""

import io
import os
from typing import Any, BinaryIO, Self

from keras_fn.saving.errors import ModelFileError


class ByteView(io.RawIOBase):
    """A read-only file of the bytes [start, start + size) of another file.

    Closing it leaves the other file open. If the other file was truncated, reading is an error,
    never a short read.

    Args:
        file: A binary, seekable file.
        start: The offset of the first byte.
        size: The number of bytes.
    """

    def __init__(self, file: BinaryIO, start: int, size: int):
        super().__init__()
        self._file, self._start, self._position = file, start, 0
        self.size = size

    @classmethod
    def of_file(cls, file: BinaryIO) -> Self:
        """Returns the view of a whole file."""
        return cls(file, 0, file.seek(0, os.SEEK_END))

    def slice(self, start: int, size: int) -> "ByteView":
        """Returns a view of a part.

        Args:
            start: The offset of the first byte in this view.
            size: The number of bytes.

        Raises:
            ModelFileError: The part is not inside this view.
        """
        if start < 0 or size < 0 or start + size > self.size:
            raise ModelFileError(
                "a part of the file lies outside the file",
                expected=f"bytes in [0, {self.size})",
                received=f"[{start}, {start + size})",
                fix="the file is damaged or truncated; get it again",
            )
        return ByteView(self._file, self._start + start, size)

    def bytes_at(self, start: int, size: int) -> bytes:
        """Returns a part as bytes, as `slice`."""
        return self.slice(start, size).read()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if origin + offset < 0:
            raise ValueError(f"cannot seek to {origin + offset}")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        target = target[: max(0, min(len(target), self.size - self._position))]
        self._file.seek(self._start + self._position)
        done = 0
        while done < len(target):
            count = self._read_some(target[done:])
            if not count:
                raise ModelFileError(
                    "the file became shorter while it was read",
                    fix="load it again once nothing writes to it",
                )
            done += count
        self._position += done
        return done

    def _read_some(self, target: memoryview) -> int:
        if hasattr(self._file, "readinto"):
            return self._file.readinto(target)  # type: ignore[attr-defined]
        chunk = self._file.read(len(target))
        target[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self._position)
        buffer = bytearray(left if size is None or size < 0 else min(size, left))
        self.readinto(buffer)
        return bytes(buffer)


class BudgetedView(ByteView):
    """A view with a budget of bytes to read: a few times the size of the file.

    Without a budget, overlapping structures in a malicious file could make the time to read it grow
    with the square of its size.
    """

    _TIMES, _SPARE = 4, 1 << 16

    def __init__(self, file: BinaryIO, start: int, size: int):
        super().__init__(file, start, size)
        self._left = self._TIMES * size + self._SPARE

    def charge(self, size: int) -> None:
        """Subtracts `size` bytes from the budget."""
        self._left -= size
        if self._left < 0:
            raise ModelFileError(
                "structures of the file overlap, so that reading it takes too long",
                fix="the file is damaged or was made to do harm; get it again",
            )

    def bytes_at(self, start: int, size: int) -> bytes:
        self.charge(size)
        return super().bytes_at(start, size)
