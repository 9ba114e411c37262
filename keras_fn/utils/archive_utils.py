"""Safe extraction of untrusted tar and zip archives.

The names, types and sizes that an archive declares are validated before use. Everything is written
to a temporary folder, which is renamed to the destination only if the whole archive is valid.
"""

import bz2
import errno
import gzip
import lzma
import os
import re
import secrets
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from keras_fn.errors import SpecError

ArchiveFormat = str | Sequence[str] | None
"""`"tar"`, `"zip"`, a sequence of these, or `"auto"` for either."""

_CHUNK_BYTES = 1 << 20
# Limit of the extracted size: this multiple of the archive's size, plus an allowance for tiny
# archives. Deflate alone reaches 1,000, real data seldom 20.
_MAX_COMPRESSION_RATIO = 200
_ALLOWED_BYTES = 64 << 20
# What each member counts in addition to its size: a block of the disk.
_MEMBER_BYTES = 4096
# What Python may read at a time from members that it inflates without a limit of its own.
_UNLIMITED_CHUNK_BYTES = 4096
# A tar file has the names of members in headers, which are read into memory.
_MAX_HEADER_BYTES = 4 << 20
_TAR_OPENERS = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"]\0\0": lzma.open,
}
_CORRUPT = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    OverflowError,
    RuntimeError,  # NotImplementedError is zipfile's error for an unknown compression method
    ValueError,  # UnicodeDecodeError, and positions before the start of the file
)


class UnsafeArchiveError(SpecError):
    """An archive is unsafe to extract; nothing was extracted."""


@dataclass(frozen=True)
class _Member:
    """A member of an archive; `data` is None for a folder, and is read in chunks of some bytes."""

    name: str
    size: int
    data: IO[bytes] | None
    chunk: int = _CHUNK_BYTES


class _HeaderReader:
    """A file whose reads are limited together while `is_header` is set.

    `tarfile` reads what a header declares into memory, which can be gigabytes of a bomb.

    Args:
        file: The file.
        archive: The path of the archive, for the error.
    """

    def __init__(self, file: IO[bytes], archive: Path):
        self._file, self._archive = file, archive
        self.is_header, self._left = True, _MAX_HEADER_BYTES
        self.seek, self.tell = file.seek, file.tell

    def start_header(self) -> None:
        self.is_header, self._left = True, _MAX_HEADER_BYTES

    def read_to_end(self) -> None:
        """Reads what follows the last member: padding, and the checksum of the compressed data."""
        left = _ALLOWED_BYTES
        while chunk := self._file.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise _unsafe_error(self._archive, "", "is followed by much padding")

    def read(self, size: int = -1) -> bytes:
        if self.is_header:
            self._left -= size
            if size < 0 or self._left < 0:
                raise _unsafe_error(
                    self._archive, "", f"has a header of over {_MAX_HEADER_BYTES >> 20} MiB"
                )
        return self._file.read(size)


def extract_archive(
    archive: Path, destination: Path, archive_format: ArchiveFormat = "auto", *, replace: bool
) -> None:
    """Extracts a tar or zip archive into a new folder, completely or not at all.

    Args:
        archive: Path of the archive.
        destination: Path of the folder to create.
        archive_format: `"tar"`, `"zip"`, a sequence of these, or `"auto"` for either.
        replace: Whether to replace an existing `destination`. If not, it is kept: another process
            may have just extracted it.

    Raises:
        UnsafeArchiveError: A member is a link or a device, has a path outside of the folder or a
            duplicate name, or exceeds its declared size or the limit of the compression ratio.
        ValueError: The file is not an archive of this format, or is damaged.
    """
    kind = _detect_format(archive, archive_format)
    members = _tar_members if kind == "tar" else _zip_members
    budget = _ALLOWED_BYTES + _MAX_COMPRESSION_RATIO * archive.stat().st_size
    fresh = destination.with_name(f".{secrets.token_hex(8)}.part")
    try:
        fresh.mkdir()
        for member in members(archive):
            budget -= member.size + _MEMBER_BYTES
            if budget < 0:
                raise _unsafe_error(
                    archive, member.name, f"inflates over {_MAX_COMPRESSION_RATIO} times"
                )
            _write_member(archive, member, fresh)
        _replace_folder(fresh, destination, replace=replace)
    except SpecError:  # a ValueError that says more than that the archive is damaged
        raise
    except (*_CORRUPT, OSError) as error:
        # bz2 has OSErrors without a number for damaged data; a damaged position is invalid.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise SpecError(
            f"get_file, unpacking {archive.name}",
            expected=f"a complete {kind} archive",
            received=f"{type(error).__name__}: {error}",
            fix=f"delete {archive} and download it again",
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _detect_format(archive: Path, archive_format: ArchiveFormat) -> str:
    formats = ("tar", "zip") if archive_format == "auto" else archive_format or ()
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    detectors = {"tar": _is_tar, "zip": zipfile.is_zipfile}
    for name in formats:
        if name in detectors and detectors[name](archive):
            return name
    raise SpecError(
        f"get_file, unpacking {archive.name}",
        expected=f"an archive of format {archive_format!r}",
        received=f"a file of {archive.stat().st_size} bytes in another format",
        fix='pass extract=False, or archive_format="tar", "zip" or "auto"',
    )


def _is_tar(path: Path) -> bool:
    try:
        with _open_tar(path):
            return True
    except UnsafeArchiveError:
        raise
    except (*_CORRUPT, OSError):
        return False


@contextmanager
def _open_tar(path: Path) -> Iterator[tuple[tarfile.TarFile, _HeaderReader]]:
    with path.open("rb") as file:
        signature = file.read(6)
    opener = next((o for start, o in _TAR_OPENERS.items() if signature.startswith(start)), open)
    with opener(path, "rb") as file:
        reader = _HeaderReader(file, path)
        with tarfile.open(fileobj=reader, mode="r:") as archive:  # type: ignore[arg-type]
            yield archive, reader


def _tar_members(path: Path) -> Iterator[_Member]:
    with _open_tar(path) as (archive, reader):
        for info in archive:
            reader.is_header = False
            if not (info.isreg() or info.isdir()):
                raise _unsafe_error(path, info.name, "is a link or a special file")
            if info.size < 0:
                raise _unsafe_error(path, info.name, "has a negative size")
            data = archive.extractfile(info) if info.isreg() else None
            yield _Member(info.name, info.size if data else 0, data)
            reader.start_header()
        reader.read_to_end()


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 if created on another system than Unix
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _unsafe_error(path, info.orig_filename, "is a link or a special file")
            if info.flag_bits & 0x1:
                raise _unsafe_error(path, info.orig_filename, "is encrypted")
            # Not `filename`, which is truncated at a NUL character.
            if info.is_dir():
                yield _Member(info.orig_filename, 0, None)
                continue
            is_limited = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            chunk = _CHUNK_BYTES if is_limited else _UNLIMITED_CHUNK_BYTES
            with archive.open(info) as data:
                yield _Member(info.orig_filename, info.file_size, data, chunk)


def _write_member(archive: Path, member: _Member, folder: Path) -> None:
    target = folder.joinpath(*_split_path(archive, member.name))
    try:
        folder = target if member.data is None else target.parent
        folder.mkdir(parents=True, exist_ok=True)
        if member.data is None:
            return
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise _unsafe_error(archive, member.name, "has a duplicate name") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise _unsafe_error(archive, member.name, "has too long a name") from error
    remaining = member.size
    with file:
        while chunk := member.data.read(member.chunk):
            remaining -= len(chunk)
            if remaining < 0:
                break
            file.write(chunk)
    if remaining:
        raise _unsafe_error(
            archive, member.name, f"does not have the declared size of {member.size} bytes"
        )


def _split_path(archive: Path, name: str) -> list[str]:
    """Splits the path of a member into its parts, none of which leads outside of the folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    # Backslashes, drives and streams ("C:", "a:b") have a meaning on Windows only; there the same
    # archive would be extracted differently.
    if name.startswith("/") or ".." in parts or re.search(r"[\\:\x00-\x1f]", name):
        raise _unsafe_error(archive, name, "has a name that is not a plain relative path")
    return parts


def _replace_folder(fresh: Path, destination: Path, *, replace: bool) -> None:
    """Renames `fresh` to `destination`; restores an existing destination if that fails."""
    backup = fresh.with_name(f"{fresh.name}.old")
    if replace and destination.exists():
        os.rename(destination, backup)
    try:
        if not destination.is_dir():  # else another process was first
            os.rename(fresh, destination)
    except OSError:
        if backup.exists() and not destination.exists():
            os.rename(backup, destination)
        if not destination.is_dir():
            raise
    finally:
        shutil.rmtree(backup, ignore_errors=True)


def _unsafe_error(archive: Path, name: str, problem: str) -> UnsafeArchiveError:
    return UnsafeArchiveError(
        f"get_file, unpacking {archive.name}",
        expected="regular files and folders with plain relative paths",
        received=f"member {name[:200]!r}, which {problem}",
        fix="do not use this archive, or download it without extract=True and inspect it",
    )
