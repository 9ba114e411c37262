"""Unpacks an archive from a stranger: regular files and folders, inside one new folder.

The names, kinds and sizes that an archive declares are claims. Each is checked before it is
acted on, everything is written to a temporary folder, and only a whole success is renamed to
the destination.
"""

import gzip
import lzma
import os
import re
import secrets
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from keras_fn.errors import SpecError

ArchiveFormat = str | Sequence[str] | None

_CHUNK_BYTES = 1 << 20
# An archive may unpack to this many times its size, plus a floor for tiny ones. Deflate alone
# reaches 1,000, real data seldom 20.
_MOST_INFLATION = 200
_FREE_BYTES = 64 << 20
_CORRUPT = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,  # zipfile's word for a method that it does not know
)


class UnsafeArchiveError(SpecError):
    """An archive holds what no archive of data needs: nothing of it was unpacked."""


@dataclass(frozen=True)
class _Member:
    """One entry of an archive. `data` is None for a folder."""

    name: str
    size: int
    data: IO[bytes] | None


def extract_archive(
    archive: Path, destination: Path, archive_format: ArchiveFormat = "auto", *, replace: bool
) -> None:
    """Unpacks a tar or zip file into the new folder `destination`, all of it or nothing.

    Args:
        archive: Path of the file.
        destination: The folder to make.
        archive_format: `"tar"`, `"zip"`, a sequence of these, or `"auto"` for either.
        replace: Whether a `destination` that exists is replaced. If not it is kept, and is
            taken for what another process has just unpacked.

    Raises:
        UnsafeArchiveError: A member is a link or a device, has a name that leads outside or
            that comes twice, or is larger than it says or than is plausible.
        ValueError: The file is no archive of this format, or is damaged.
    """
    kind = _kind(archive, archive_format)
    members = _tar_members if kind == "tar" else _zip_members
    budget = _FREE_BYTES + _MOST_INFLATION * archive.stat().st_size
    fresh = destination.with_name(f".{secrets.token_hex(8)}.part")
    try:
        fresh.mkdir()
        for member in members(archive):
            budget -= member.size
            if budget < 0:
                raise _unsafe(archive, member.name, f"inflates over {_MOST_INFLATION} times")
            _write(archive, member, fresh)
        _move(fresh, destination, replace=replace)
    except _CORRUPT as error:
        raise SpecError(
            f"get_file, unpacking {archive.name}",
            expected=f"a whole {kind} archive",
            received=f"{type(error).__name__}: {error}",
            fix=f"delete {archive} and fetch it again",
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _kind(archive: Path, archive_format: ArchiveFormat) -> str:
    formats = ("tar", "zip") if archive_format == "auto" else archive_format or ()
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    is_a = {"tar": tarfile.is_tarfile, "zip": zipfile.is_zipfile}
    for name in formats:
        if name in is_a and is_a[name](archive):
            return name
    raise SpecError(
        f"get_file, unpacking {archive.name}",
        expected=f"an archive of format {archive_format!r}",
        received=f"a file of {archive.stat().st_size} bytes that is none",
        fix='pass extract=False, or archive_format="tar", "zip" or "auto"',
    )


def _tar_members(path: Path) -> Iterator[_Member]:
    with tarfile.open(path) as archive:
        for info in archive:
            if not (info.isreg() or info.isdir()):
                raise _unsafe(path, info.name, "is a link or a special file")
            if info.size < 0:
                raise _unsafe(path, info.name, "has a negative size")
            data = archive.extractfile(info) if info.isreg() else None
            yield _Member(info.name, info.size if data else 0, data)


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0: not written on Unix
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _unsafe(path, info.orig_filename, "is a link or a special file")
            if info.flag_bits & 0x1:
                raise _unsafe(path, info.orig_filename, "is encrypted")
            # `orig_filename`: `filename` is cut at a NUL, and so is not what was declared.
            if info.is_dir():
                yield _Member(info.orig_filename, 0, None)
            else:
                with archive.open(info) as data:
                    yield _Member(info.orig_filename, info.file_size, data)


def _write(archive: Path, member: _Member, folder: Path) -> None:
    target = folder.joinpath(*_parts(archive, member.name))
    if member.data is None:
        target.mkdir(parents=True, exist_ok=True)
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise _unsafe(archive, member.name, "comes twice") from error
    left = member.size
    with file:
        while chunk := member.data.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                break
            file.write(chunk)
    if left:
        raise _unsafe(archive, member.name, f"is not of the declared {member.size} bytes")


def _parts(archive: Path, name: str) -> list[str]:
    """Returns the folders and the file that `name` is made of, none of which leads outside."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    # Backslashes, drives and streams ("C:", "a:b") mean something on Windows alone, and would
    # make one archive unpack differently there.
    if name.startswith("/") or ".." in parts or re.search(r"[\\:\x00-\x1f]", name):
        raise _unsafe(archive, name, "has a name that is not a plain relative path")
    return parts


def _move(fresh: Path, destination: Path, *, replace: bool) -> None:
    """Renames `fresh` to `destination`; what was there comes back where this fails."""
    aside = fresh.with_name(f"{fresh.name}.old")
    if replace and destination.exists():
        os.rename(destination, aside)
    try:
        if not destination.is_dir():  # else another process was faster
            os.rename(fresh, destination)
    except OSError:
        if aside.exists() and not destination.exists():
            os.rename(aside, destination)
        if not destination.is_dir():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _unsafe(archive: Path, name: str, fact: str) -> UnsafeArchiveError:
    return UnsafeArchiveError(
        f"get_file, unpacking {archive.name}",
        expected="regular files and folders with plain relative names",
        received=f"member {name[:200]!r}, which {fact}",
        fix="do not use this archive, or fetch it without extract=True and look inside",
    )
