"""Downloads: fetched once, verified by hash, and cached."""

import hashlib
import http.client
import os
import re
import secrets
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from keras_fn import settings
from keras_fn.errors import SpecError
from keras_fn.utils.archive_utils import ArchiveFormat, extract_archive

_SCHEMES = ("https", "http", "ftp", "file")
_CHUNK_BYTES = 1 << 18
_LENGTH_DIGITS = 20
_LONG_DOWNLOAD_BYTES = 4 << 20  # smaller files have no progress bar
_TIMEOUT_SECONDS = 60  # without receiving a byte
_PART = re.compile(r"\.[0-9a-f]{16}\.part")  # what is not complete yet
_SECONDS_TO_END = 24 * 3600  # after which nothing writes to it any more


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str | os.PathLike[str] = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: ArchiveFormat = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Returns the local path of a remote file; downloads it if it is not in the cache.

    The path is `<cache_dir>/<cache_subdir>/<fname>`, by default `~/.keras/datasets/<fname>`. The
    download is atomic: the file is renamed to this path only when it is complete and its hash is
    verified. Several processes may download the same file concurrently.

    Args:
        fname: File name in the cache, without folders; by default the last part of `origin`. With
            `extract`, a name without a dot is the name of the extracted folder.
        origin: URL of the file (`https`, `http`, `ftp` or `file`).
        untar: Deprecated; same as `extract=True, archive_format="tar"`.
        md5_hash: Deprecated; same as `file_hash` with `hash_algorithm="md5"`.
        file_hash: Expected hash of the file, in hexadecimal. A cached file with another hash is
            downloaded again.
        cache_subdir: Subfolder of `cache_dir`, or an absolute path.
        hash_algorithm: `"sha256"`, `"md5"`, or `"auto"` to infer it from the length of the hash.
        extract: Whether to extract the file, a tar or zip archive, and return the folder.
        archive_format: `"tar"`, `"zip"`, a list of these, or `"auto"` for either.
        cache_dir: Root of the cache; by default `KERAS_HOME`, else `~/.keras`.
        force_download: Whether to download a cached file again.

    Returns:
        The path of the file, or of the folder it was extracted to.

    Raises:
        ValueError: An argument is malformed, the downloaded file has another hash, or the file is
            not an archive or an unsafe one. The cache is unchanged then.
        OSError: The file cannot be downloaded, or the cache cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.txt").write_text("some data")
        >>> path = get_file("b.txt", (folder / "a.txt").as_uri(), cache_dir=folder)
        >>> pathlib.Path(path).read_text()
        'some data'

    Note:
        Pass `file_hash` whenever it is known. Extraction is stricter than in Keras: a link, a
        device, or a path outside of the folder is an error instead of being skipped. There is no
        silent fallback to `/tmp` if the cache is not writable.
    """
    if not origin:
        raise SpecError(
            "get_file",
            expected="the URL of the file",
            received=f"origin={origin!r}",
            fix='pass it, as in get_file(origin="https://…")',
        )
    if untar:
        extract, archive_format = True, "tar"
    if file_hash is None and md5_hash is not None:
        file_hash, hash_algorithm = md5_hash, "md5"
    algorithm_name = _resolve_hash_algorithm(file_hash, hash_algorithm)
    name = _resolve_file_name(fname, origin)
    folder = Path(cache_dir or settings.home()).expanduser() / cache_subdir
    target, extracted = folder / name, folder / name
    if extract:
        target, extracted = (
            folder / _archive_file_name(name, fname),
            folder / _extracted_folder_name(name, fname),
        )

    fetch = force_download or not _is_cached(target, file_hash, algorithm_name)
    if fetch:
        _download(origin, target, file_hash, algorithm_name)
    if not extract:
        return str(target)
    if fetch or not extracted.is_dir():
        extract_archive(target, extracted, archive_format, replace=fetch)
    return str(extracted)


def _resolve_file_name(fname: str | os.PathLike[str] | None, origin: str) -> str:
    if fname:
        name, source = os.fspath(fname), "fname"
    else:
        path = urllib.parse.unquote(urllib.parse.urlsplit(origin).path)
        name, source = path.rpartition("/")[2], "the last part of origin"
    if name in ("", ".", "..") or not set(name).isdisjoint("/\\\0"):
        raise SpecError(
            "get_file",
            expected="a bare file name",
            received=f"{source}: {name!r}",
            fix='pass a name as fname="…", and its folder as cache_dir and cache_subdir',
        )
    return name


def _archive_file_name(name: str, fname: object) -> str:
    return name if fname and "." in name else f"{name}_archive"


def _extracted_folder_name(name: str, fname: object) -> str:
    return f"{name.partition('.')[0]}_extracted" if fname and "." in name else name


def _resolve_hash_algorithm(file_hash: str | None, algorithm: str) -> str:
    if algorithm == "auto":
        algorithm = {64: "sha256", 32: "md5"}.get(len(file_hash or 64 * "0"), "unknown")
    if algorithm not in ("sha256", "md5"):
        raise SpecError(
            "get_file",
            expected='a sha256 (64 hex digits) or an md5 (32), or "auto"',
            received=f"hash {file_hash!r}, hash_algorithm {algorithm!r}",
            fix="compute the hash with sha256sum",
        )
    return algorithm


def _is_cached(target: Path, file_hash: str | None, algorithm_name: str) -> bool:
    if not target.exists():
        return False
    if file_hash is None:
        return True
    with target.open("rb") as file:
        if hashlib.file_digest(file, algorithm_name).hexdigest() == file_hash.lower():
            return True
    warnings.warn(
        f"{target} does not have the expected {algorithm_name} hash: it is incomplete or out of "
        "date, and is downloaded again.",
        stacklevel=3,
    )
    return False


def _download(origin: str, target: Path, file_hash: str | None, algorithm_name: str) -> None:
    """Downloads `origin` to `target`, atomically and verified."""
    if urllib.parse.urlsplit(origin).scheme not in _SCHEMES:
        raise SpecError(
            "get_file",
            expected=f"a URL of {', '.join(_SCHEMES)}",
            received=f"origin={origin!r}",
            fix="download the file by other means and put it into the cache",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(target.parent)
    with _atomic_file(target) as file:
        digest = hashlib.new(algorithm_name, usedforsecurity=False)
        try:
            for chunk in _download_chunks(origin, target.name):
                digest.update(chunk)
                file.write(chunk)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
            raise OSError(
                f"{origin} could not be downloaded: {error}\n"
                f"  fix: check the address and the network, or put the file at {target}"
            ) from error
        if file_hash is not None and digest.hexdigest() != file_hash.lower():
            raise SpecError(
                "get_file",
                expected=f"a file with the {algorithm_name} hash {file_hash}",
                received=f"{digest.hexdigest()} from {origin}",
                fix="check the hash at its source; if it is correct, do not use this file",
            )


def _remove_unfinished(folder: Path) -> None:
    """Removes what killed downloads and extractions left in a folder."""
    for path in folder.glob(".*.part"):
        with suppress(OSError):  # another process renames it, or removes it too
            if _PART.fullmatch(path.name) and time.time() - path.lstat().st_mtime > _SECONDS_TO_END:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _atomic_file(target: Path) -> Iterator[IO[bytes]]:
    """Opens a temporary file that is renamed to `target` if the block succeeds, else deleted."""
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:  # also for KeyboardInterrupt
        part.unlink(missing_ok=True)
        raise


def _download_chunks(origin: str, title: str) -> Iterator[bytes]:
    with urllib.request.urlopen(origin, timeout=_TIMEOUT_SECONDS) as response:
        declared = response.headers.get("Content-Length") or ""
        # Python refuses to read thousands of digits; no file is longer than these say.
        digits = declared.lstrip("0")[:_LENGTH_DIGITS] or "0"
        length = int(digits) if declared.isdecimal() else -1
        received = 0
        with _make_progress_bar(length) as progress:
            task = progress.add_task(title, total=None if length < 0 else length)
            while chunk := response.read(_CHUNK_BYTES):
                received += len(chunk)
                progress.update(task, completed=received)
                yield chunk
        if 0 <= length != received:
            raise http.client.IncompleteRead(b"", length - received)


def _make_progress_bar(length: int) -> Progress:
    is_long = length < 0 or length >= _LONG_DOWNLOAD_BYTES
    return Progress(
        TextColumn("Downloading {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        disable=not (is_long and settings.settings.interactive_logging),
    )
