"""Strict reader of the directory of a zip file: every byte of the file has one meaning.

Python's `zipfile` is tolerant by design (a prefix, a comment, overlapping members, contradicting
local headers). Here every byte from the first local header to the end record belongs to exactly one
structure, and the two headers of a member agree.

Reference: PKWARE, APPNOTE.TXT 6.3, sections 4.3 to 4.5.
"""

import dataclasses
import stat
import struct
import zlib
from collections.abc import Iterator

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.errors import ModelFileError, sanitize_for_display
from keras_fn.saving.limits import current_limits
from keras_fn.saving.zip.zip_records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    DESCRIPTOR_FLAG,
    DESCRIPTOR_SIGNATURE,
    DESCRIPTORS,
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
    STORED,
    UTF8_FLAG,
    ZIP64_EXTRA,
)

_DEFLATE_LEVEL_FLAGS = 0x006

_FORBIDDEN_EXTRA = {0x7075: "a second name", 0x9901: "encryption", 0x0017: "encryption"}

NAME_BYTES = 1024

_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Entry:
    """A member: `stored_size` bytes at `data_offset`, which decompress to `size` bytes."""

    name: str
    method: int
    crc: int
    stored_size: int
    size: int
    header_offset: int
    data_offset: int = 0


def malformed(fact: str, expected: object = "", received: object = "") -> ModelFileError:
    """Returns the error for a zip file in another form than Keras writes.

    Args:
        fact: What is wrong.
        expected: What the file should hold.
        received: What it holds.
    """
    return ModelFileError(
        fact,
        expected=expected,
        received=received,
        fix="the file is damaged or was repacked by another program; save the model again",
    )


def read_entries(view: ByteView, streamed: bool = False) -> list[Entry]:
    """Returns the members of a zip file in file order, after all checks of its headers.

    Args:
        view: The file.
        streamed: Whether the sizes of a member may follow its content, as PyTorch writes them.

    Raises:
        ModelFileError: The file is not a zip file of the strict form.
    """
    if view.bytes_at(0, min(4, view.size)) != LOCAL_SIGNATURE:
        raise malformed(
            "not a .keras file",
            "a zip file, which starts with 'PK'",
            view.bytes_at(0, min(8, view.size)),
        )
    directory, count = _locate_directory(view)
    raw_entries = _central_entries(directory, count, DESCRIPTOR_FLAG if streamed else 0)
    entries = []
    end_of_previous = 0
    for entry, fixed, raw_name in sorted(raw_entries, key=lambda item: item[0].header_offset):
        if entry.header_offset != end_of_previous:
            name = sanitize_for_display(entry.name, 100)
            raise malformed(
                f"member {name!r} overlaps another one or follows a gap",
                f"its header at byte {end_of_previous}",
                f"byte {entry.header_offset}",
            )
        data_offset = _check_local_header(view, entry, fixed, raw_name)
        end_of_previous = data_offset + entry.stored_size
        if fixed[0] & DESCRIPTOR_FLAG:
            end_of_previous += _check_descriptor(view, end_of_previous, entry)
        entries.append(dataclasses.replace(entry, data_offset=data_offset))
    if end_of_previous != view.size - _tail_size(view) - directory.size:
        raise malformed("there are unused bytes between the members and the directory")
    return entries


def member_chunks(view: ByteView, entry: Entry) -> Iterator[bytes | memoryview]:
    """Yields the content of a member, at most its declared size, and checks its size and CRC.

    A chunk is valid until the next one is read.
    """
    crc = total = 0
    for chunk in _inflated(view, entry) if entry.method == DEFLATED else _stored(view, entry):
        total += len(chunk)
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if total != entry.size:
        raise malformed("the member has another size than declared", entry.size, total)
    if crc != entry.crc:
        raise malformed(
            "the checksum (CRC-32) of the member does not match its content",
            f"{entry.crc:08x}",
            f"{crc:08x}",
        )


def _stored(view: ByteView, entry: Entry) -> Iterator[memoryview]:
    content = view.slice(entry.data_offset, entry.stored_size)
    buffer = memoryview(bytearray(min(_CHUNK, entry.stored_size)))
    while count := content.readinto(buffer):
        yield buffer[:count]


def _inflated(view: ByteView, entry: Entry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    remaining = entry.size + 1  # one more than declared, to detect excess data
    for chunk in _stored(view, entry):
        while chunk and remaining:
            data = inflater.decompress(chunk, min(remaining, _CHUNK))
            chunk = inflater.unconsumed_tail
            remaining -= len(data)
            yield data
    if not inflater.eof or inflater.unused_data or inflater.unconsumed_tail:
        raise malformed("the compressed data of the member does not end where it should")


def _end_record(view: ByteView) -> tuple:
    fields = END.unpack(view.bytes_at(max(0, view.size - END.size), END.size))
    if fields[0] != END_SIGNATURE or fields[-1] != 0:
        raise malformed(
            "the zip file does not end with its end record",
            "no comment and no data after the archive",
            "something else, or a truncated file",
        )
    return fields


def _has_zip64(view: ByteView) -> bool:
    offset = view.size - END.size - LOCATOR64.size
    return offset >= 0 and view.bytes_at(offset, 4) == LOCATOR64_SIGNATURE


def _tail_size(view: ByteView) -> int:
    """Returns the size of the records after the central directory."""
    return END.size + (LOCATOR64.size + END64.size if _has_zip64(view) else 0)


def _locate_directory(view: ByteView) -> tuple[ByteView, int]:
    """Returns the central directory and its number of entries."""
    if view.size < END.size:
        raise malformed("the file is too short for a zip file")
    _, disk, directory_disk, entries_here, count, size, offset, _ = _end_record(view)
    end = view.size - _tail_size(view)
    if _has_zip64(view):
        record = END64.unpack(view.bytes_at(end, END64.size))
        locator = LOCATOR64.unpack(view.bytes_at(end + END64.size, LOCATOR64.size))
        signature, length, _, _, disk64, directory_disk64, here64, count64, size64, offset64 = (
            record
        )
        agrees = all(
            short in (full, most)
            for short, full, most in (
                (count, count64, FULL_16),
                (size, size64, FULL_32),
                (offset, offset64, FULL_32),
            )
        )
        if (
            signature != END64_SIGNATURE
            or length != END64.size - 12
            or disk64
            or directory_disk64
            or here64 != count64
            or not agrees
            or locator[1:] != (0, end, 1)
        ):
            raise malformed("the end records of the zip file contradict each other")
        entries_here, count, size, offset = here64, count64, size64, offset64
        disk = directory_disk = 0
    if disk or directory_disk or entries_here % (FULL_16 + 1) != count % (FULL_16 + 1):
        raise malformed("the zip file is split over several disks")
    if offset + size != end:
        raise malformed(
            "the directory of the zip file is not where the end record says",
            f"bytes [{offset}, {end})",
            f"[{offset}, {offset + size})",
        )
    most = current_limits().zip_members
    if count > most or size > count * (CENTRAL.size + NAME_BYTES + FULL_16):
        raise malformed("the zip file has too many members", f"at most {most}", count)
    return view.slice(offset, size), count


def _central_entries(
    directory: ByteView, count: int, more_flags: int
) -> list[tuple[Entry, tuple, bytes]]:
    """Returns (entry, fields that the local header repeats, raw name) for each central header."""
    result, names = [], set()
    for _ in range(count):
        fields = CENTRAL.unpack(_take(directory, CENTRAL.size))
        (
            signature,
            _,
            version,
            flags,
            method,
            time,
            date,
            crc,
            stored_size,
            size,
            name_size,
            extra_size,
            comment_size,
            disk,
            _,
            attributes,
            offset,
        ) = fields
        if signature != CENTRAL_SIGNATURE or comment_size or disk:
            raise malformed("a header in the directory of the zip file is wrong")
        raw_name = _take(directory, name_size)
        name = _member_name(raw_name, flags)
        extra = _take(directory, extra_size)
        size, stored_size, offset = _zip64_values(extra, (size, stored_size, offset))
        entry = Entry(name, method, crc, stored_size, size, offset)
        _check_entry(entry, flags & ~more_flags, version, attributes)
        if name in names:
            raise malformed(f"member {sanitize_for_display(name, 100)!r} occurs twice")
        names.add(name)
        result.append((entry, (flags, method, time, date, crc), raw_name))
    if directory.tell() != directory.size:
        raise malformed("there are unused bytes in the directory of the zip file")
    return result


def _take(view: ByteView, size: int) -> bytes:
    data = view.read(size)
    if len(data) != size:
        raise malformed("the directory of the zip file ends too early")
    return data


def _member_name(raw: bytes, flags: int) -> str:
    if not raw or len(raw) > NAME_BYTES:
        raise malformed(
            "a member has no name or a very long one", f"1 to {NAME_BYTES} bytes", len(raw)
        )
    try:
        return raw.decode("utf-8" if flags & UTF8_FLAG else "ascii")
    except UnicodeDecodeError:
        raise malformed("the name of a member is not text", "UTF-8", raw[:100]) from None


def _check_entry(entry: Entry, flags: int, version: int, attributes: int) -> None:
    name = sanitize_for_display(entry.name, 100)
    if flags & ~(UTF8_FLAG | _DEFLATE_LEVEL_FLAGS):
        raise malformed(
            f"member {name!r} is encrypted, or its size follows its data", "flags 0", f"{flags:#x}"
        )
    if entry.method not in (STORED, DEFLATED) or version > NEWEST_VERSION:
        raise malformed(
            f"member {name!r} is compressed in an unknown way",
            "stored or deflated",
            f"method {entry.method}, version {version}",
        )
    if stat.S_IFMT(attributes >> 16) not in (0, stat.S_IFREG):
        raise malformed(
            f"member {name!r} is not a regular file", "a regular file", "a link, folder or device"
        )
    if entry.method == STORED and entry.stored_size != entry.size:
        raise malformed(f"member {name!r} has two sizes", entry.stored_size, entry.size)
    most = entry.stored_size * current_limits().inflation
    if entry.method == DEFLATED and entry.size > most:
        raise malformed(
            f"member {name!r} would become too large when unpacked",
            f"at most {most} bytes from {entry.stored_size}",
            entry.size,
        )


def _check_local_header(view: ByteView, entry: Entry, expected: tuple, raw_name: bytes) -> int:
    """Returns the offset of the data of a member, if its two headers agree."""
    raw = view.bytes_at(entry.header_offset, LOCAL.size)
    signature, _, *fixed, stored_size, size, name_size, extra_size = LOCAL.unpack(raw)
    start = entry.header_offset + LOCAL.size
    extra = view.bytes_at(start + name_size, extra_size)
    size, stored_size = _zip64_values(extra, (size, stored_size))
    if fixed[0] & DESCRIPTOR_FLAG and not (fixed[-1] or size or stored_size):
        fixed[-1], size, stored_size = entry.crc, entry.size, entry.stored_size
    same = (
        signature == LOCAL_SIGNATURE
        and tuple(fixed) == expected
        and size == entry.size
        and stored_size == entry.stored_size
        and view.bytes_at(start, name_size) == raw_name
    )
    if not same:
        name = sanitize_for_display(entry.name, 100)
        raise malformed(f"the two headers of member {name!r} contradict each other")
    return start + name_size + extra_size


def _check_descriptor(view: ByteView, start: int, entry: Entry) -> int:
    """Returns the size of the descriptor behind a member, if it agrees with the directory."""
    wanted = (DESCRIPTOR_SIGNATURE, entry.crc, entry.stored_size, entry.size)
    for form in DESCRIPTORS:
        if form.unpack(view.bytes_at(start, form.size)) == wanted:
            return form.size
    name = sanitize_for_display(entry.name, 100)
    raise malformed(f"the descriptor behind member {name!r} contradicts the directory")


def _zip64_values(extra: bytes, values: tuple[int, ...]) -> tuple[int, ...]:
    """Returns `values`, with 32-bit maxima replaced by the 64-bit values in the extra field."""
    wide = _extra_fields(extra).get(ZIP64_EXTRA, b"")
    if len(wide) % 8:
        raise malformed("a 64-bit field of the zip file has a wrong size")
    numbers = iter(struct.unpack(f"<{len(wide) // 8}Q", wide))
    picked = tuple(next(numbers, -1) if value == FULL_32 else value for value in values)
    if -1 in picked or next(numbers, None) is not None:
        raise malformed("the 64-bit fields of the zip file do not fit its headers")
    return picked


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise malformed("an extra field of the zip file is cut off")
        kind, size = struct.unpack_from("<2H", extra, position)
        position += 4
        if kind in _FORBIDDEN_EXTRA:
            raise malformed(f"an extra field of the zip file announces {_FORBIDDEN_EXTRA[kind]}")
        if kind in fields or position + size > len(extra):
            raise malformed("an extra field of the zip file is repeated or cut off")
        fields[kind] = extra[position : position + size]
        position += size
    return fields
