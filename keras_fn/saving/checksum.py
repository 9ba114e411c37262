"""CRC-32 checksums: computed while a file is written, and by a thread while it is read.

A zip archive has them for its members. An HDF5 file of weights has one behind its end, where HDF5
does not look: 32 bytes of text.
"""

import queue
import re
import threading
import zlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Self

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.file_io import Buffer, reserve_space

_MARK = b"keras_fn checksum crc32 "
TRAILER_BYTES = len(_MARK) + 8
_CHUNK = 1 << 20
_PIECE = 1 << 18  # is in the processor's cache when it is written


def write_parts(file: BinaryIO, parts: Sequence[Buffer]) -> int:
    """Writes the parts of a file one after the other, and returns their CRC-32.

    Args:
        file: The file.
        parts: What to write.

    Raises:
        OSError: The file cannot be written.
    """
    return write_groups(file, [parts], sum(map(len, parts)))[0]


def write_groups(file: BinaryIO, groups: Iterable[Sequence[Buffer]], size: int) -> list[int]:
    """Writes groups of parts one after the other, and returns the CRC-32 of each group.

    A variable that another thread assigns meanwhile is written as it was, or as it is: pieces are
    copied before they are written and go into the checksum.

    Args:
        file: The file.
        groups: What to write.
        size: The number of bytes of all groups.

    Raises:
        OSError: The file cannot be written.
    """
    reserve_space(file, size)
    crcs = []
    for parts in groups:
        crc = 0
        for part in parts:
            for start in range(0, len(part), _PIECE):
                piece = bytes(part[start : start + _PIECE])
                crc = zlib.crc32(piece, crc)
                file.write(piece)
        crcs.append(crc)
    return crcs


def write_with_trailer(file: BinaryIO, parts: Sequence[Buffer]) -> int:
    """Writes the parts of a file, and their checksum behind them, which it returns.

    Args:
        file: The file.
        parts: What to write.

    Raises:
        OSError: The file cannot be written.
    """
    crc = write_parts(file, parts)
    file.write(_MARK + b"%08x" % crc)
    return crc


def find_trailer(view: ByteView) -> int | None:
    """Returns the size of a file without the checksum behind it; None if it has none.

    Args:
        view: The view of the whole file.
    """
    size = view.size - TRAILER_BYTES
    has_mark = size > 0 and view.bytes_at(size, len(_MARK)) == _MARK
    return size if has_mark else None


def stored_checksum(view: ByteView) -> str | None:
    """Returns the checksum behind a file, in hexadecimal digits; None if it has none.

    Args:
        view: The view of the whole file.
    """
    size = find_trailer(view)
    if size is None:
        return None
    return view.bytes_at(size + len(_MARK), TRAILER_BYTES - len(_MARK)).decode("ascii", "replace")


def check_no_trailer(view: ByteView, end: int) -> None:
    """Checks that a file without a checksum at its end never had one: that nothing is behind it.

    Args:
        view: The view of the whole file.
        end: Where HDF5 says that the file ends, which is where h5py and Keras end a file.

    Raises:
        ModelFileError: The checksum is damaged or cut off, or something was appended.
    """
    if view.size > end:
        raise ModelFileError(
            "the weights cannot be compared with their checksum",
            expected=f"a file of {end + TRAILER_BYTES} bytes, which ends with the checksum",
            received=f"{view.size} bytes: the checksum is damaged, or something was appended",
            fix="the file is damaged; get it again",
        )


def trailer_checksum(view: ByteView, size: int) -> int | None:
    """Returns the checksum behind a file; None for what is not a number.

    Args:
        view: The view of the whole file.
        size: The result of `find_trailer`.
    """
    digits = view.bytes_at(size + len(_MARK), TRAILER_BYTES - len(_MARK))
    return int(digits, 16) if re.fullmatch(rb"[0-9a-f]{8}", digits) else None


def compute_crc(view: ByteView) -> int:
    """Returns the CRC-32 of the bytes that are left in a view.

    Args:
        view: The view.
    """
    buffer, crc = memoryview(bytearray(min(_CHUNK, view.size))), 0
    while count := view.readinto(buffer):
        crc = zlib.crc32(buffer[:count], crc)
    return crc


def check_crc(actual: int, expected: int | None) -> None:
    """Raises an error unless a checksum is the expected one.

    Args:
        actual: The checksum of what was read.
        expected: The checksum of what was saved; None if it is damaged.
    """
    if actual != expected:
        raise ModelFileError(
            "the weights are not what was saved (CRC-32 differs)",
            expected="a checksum" if expected is None else f"{expected:08x}",
            received=f"{actual:08x}",
            fix="the file is damaged; get it again",
        )


class RunningChecksum:
    """The CRC-32 of a file, which a thread computes while someone reads parts of the file.

    What is not read by then, or not in the order of the file, is read once more. Within the
    context, a few parts wait for the thread.

    Args:
        view: The content.
    """

    _WAITING = 4  # parts

    def __init__(self, view: ByteView):
        self._view, self._position = view, 0
        self._crc = 0
        self._parts: queue.Queue[Buffer | None] = queue.Queue(self._WAITING)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="keras_fn-checksum")
        try:
            self._thread.start()
        except RuntimeError:  # none starts while the program ends
            self._thread = None
        return self

    def __exit__(self, *error: object) -> None:
        if self._thread is not None:
            self._parts.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (part := self._parts.get()) is not None:
            self._crc = zlib.crc32(part, self._crc)

    def add(self, start: int, part: Buffer) -> None:
        """Adds a part that was read, and is not changed until the context ends.

        Args:
            start: Where it begins in the view.
            part: Its bytes.
        """
        if start >= self._position:  # else it was read before
            self._read_until(start)
            self._add(part)

    def finish(self) -> int:
        """Reads what is left, and returns the checksum."""
        self._read_until(self._view.size)
        self.__exit__()
        return self._crc

    def _read_until(self, end: int) -> None:
        while self._position < end:
            size = min(_CHUNK, end - self._position)
            self._add(self._view.bytes_at(self._position, size))

    def _add(self, part: Buffer) -> None:
        self._position += len(part)
        if self._thread is None:
            self._crc = zlib.crc32(part, self._crc)
        else:
            self._parts.put(part)
