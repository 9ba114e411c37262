"""Writer of zip files without compression: reproducible, and without a copy of the members.

`zipfile` computes the checksum of a member between two writes; here a thread does.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from keras_fn.saving.checksum import Buffer, write_parts
from keras_fn.saving.zip.zip_records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    FULL_16,
    FULL_32,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR64,
    LOCATOR64_SIGNATURE,
    NEWEST_VERSION,
    OLDEST_VERSION,
    STORED,
    UTF8_FLAG,
    ZIP64_EXTRA,
)

# Constant, so that the same members result in the same file: 1980-01-01, 00:00.
_TIME, _DATE = 0, 1 << 5 | 1
_UNIX, _REGULAR_FILE = 3, 0o100644 << 16


class _Member(NamedTuple):
    name: bytes
    flags: int
    size: int
    offset: int
    crc: int = 0

    @property
    def version(self) -> int:
        return NEWEST_VERSION if max(self.size, self.offset) >= FULL_32 else OLDEST_VERSION

    def local_header(self) -> bytes:
        """Returns the header in front of the member."""
        extra, (size, stored_size) = _narrow((self.size, self.size), self.size >= FULL_32)
        fixed = (self.version, self.flags, STORED, _TIME, _DATE, self.crc)
        head = LOCAL.pack(LOCAL_SIGNATURE, *fixed, stored_size, size, len(self.name), len(extra))
        return head + self.name + extra

    def central_header(self) -> bytes:
        """Returns the header in the directory."""
        is_wide = self.size >= FULL_32
        wide = (*((self.size, self.size) if is_wide else ()), self.offset)
        extra, narrow = _narrow(wide, is_wide or self.offset >= FULL_32)
        size = FULL_32 if is_wide else self.size
        made_by, fixed = _UNIX << 8 | self.version, (self.flags, STORED, _TIME, _DATE, self.crc)
        head = CENTRAL.pack(
            CENTRAL_SIGNATURE, made_by, self.version, *fixed, size, size,
            len(self.name), len(extra), 0, 0, 0, _REGULAR_FILE, narrow[-1],
        )  # fmt: skip
        return head + self.name + extra


def _narrow(values: tuple[int, ...], is_wide: bool) -> tuple[bytes, tuple[int, ...]]:
    """Returns the extra field with 64-bit values, empty if they fit, and the 32-bit fields."""
    if not is_wide:
        return b"", values
    fields = struct.pack(f"<2H{len(values)}Q", ZIP64_EXTRA, 8 * len(values), *values)
    return fields, (FULL_32,) * len(values)


def write_zip(file: BinaryIO, members: Mapping[str, Sequence[Buffer]]) -> None:
    """Writes a zip file.

    Args:
        file: An empty, seekable file.
        members: The parts of each member, by its name.

    Raises:
        OSError: The file cannot be written.
    """
    written = [_write_member(file, name, parts) for name, parts in members.items()]
    start = file.tell()
    for member in written:
        file.write(member.central_header())
    file.write(b"".join(_end_records(len(written), start, file.tell())))


def _write_member(file: BinaryIO, name: str, parts: Sequence[Buffer]) -> _Member:
    flags = 0 if name.isascii() else UTF8_FLAG
    size = sum(memoryview(part).nbytes for part in parts)
    member = _Member(name.encode(), flags, size, file.tell())
    file.write(member.local_header())
    member = member._replace(crc=write_parts(file, parts))
    end = file.tell()
    file.seek(member.offset)
    file.write(member.local_header())
    file.seek(end)
    return member


def _end_records(count: int, start: int, end: int) -> Iterable[bytes]:
    """Yields the records behind the directory, which lies between two offsets."""
    size = end - start
    if count >= FULL_16 or max(start, size) >= FULL_32:
        versions = (_UNIX << 8 | NEWEST_VERSION, NEWEST_VERSION)
        length = END64.size - 12
        yield END64.pack(END64_SIGNATURE, length, *versions, 0, 0, count, count, size, start)
        yield LOCATOR64.pack(LOCATOR64_SIGNATURE, 0, end, 1)
    count, size, start = min(count, FULL_16), min(size, FULL_32), min(start, FULL_32)
    yield END.pack(END_SIGNATURE, 0, 0, count, count, size, start, 0)
