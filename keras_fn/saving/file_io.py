"""Opening model files for reading, and writing them atomically."""

import contextlib
import errno
import io
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from keras_fn.errors import KerasError
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.strict_json import parse_json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PathLike = str | bytes | os.PathLike

# Two letters at least: `C:` is a Windows drive.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")

_NEW_FILE_MODE = 0o666


def describe(path_or_file: PathLike | BinaryIO) -> str:
    """Returns the name of a file for error messages.

    Args:
        path_or_file: A path or a file.
    """
    if isinstance(path_or_file, (str, bytes, os.PathLike)):
        return os.fsdecode(path_or_file)
    name = getattr(path_or_file, "name", None)
    return name if isinstance(name, str) else f"<{type(path_or_file).__name__} object>"


def local_path(path: PathLike) -> str:
    """Returns a local path as a string.

    Raises:
        ModelFileError: The path is a URL, is empty, or has a NUL character.
    """
    text = os.fsdecode(path)
    if match := _URL.match(text):
        raise ModelFileError(
            f"cannot use {text!r}: only local files are read and written",
            expected="a local path",
            received=f"a URL, which starts with {match.group()}",
            fix="download the file first; write './name' for a local name with a colon",
        )
    if not text or "\0" in text:
        raise ModelFileError("the path is not usable", expected="a local path", received=repr(text))
    return text


@contextlib.contextmanager
def open_for_reading(path_or_file: PathLike | BinaryIO) -> Iterator[BinaryIO]:
    """Context manager that opens a binary, seekable file for reading.

    Args:
        path_or_file: The path of a local regular file; or a file, which stays open afterwards.

    Raises:
        ModelFileError: The path is a URL or names something that is not a regular file.
        ModelFileTypeError: The argument is neither a path nor a binary, seekable file object.
        OSError: The file cannot be opened.
    """
    if not isinstance(path_or_file, (str, bytes, os.PathLike)):
        yield _checked_file_object(path_or_file, "read")
        return
    path = local_path(path_or_file)
    with open(path, "rb", opener=_open_without_waiting) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise ModelFileError(
                f"{path}: not a regular file",
                expected="a regular file",
                received=f"file type {stat.filemode(mode)[0]!r}",
            )
        yield file


def _open_without_waiting(path: str, flags: int) -> int:
    """Opens a file as `os.open`, but does not wait for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextlib.contextmanager
def open_for_writing(path_or_file: PathLike | BinaryIO) -> Iterator[BinaryIO]:
    """Context manager that opens a file for writing: `atomic_write` of a path, or a file as it is.

    Args:
        path_or_file: A path, or a binary, seekable file at its beginning. What it holds is removed.

    Raises:
        ModelFileError: The file is at another position, or can only be appended to.
    """
    if isinstance(path_or_file, (str, bytes, os.PathLike)):
        with atomic_write(path_or_file) as file:
            yield file
    else:
        file = _checked_file_object(path_or_file, "write")
        _make_empty(file)
        yield file


def _make_empty(file: BinaryIO) -> None:
    """Removes what a file at its beginning holds: the end of a longer one would damage the new."""
    position, mode = file.tell(), str(getattr(file, "mode", ""))
    if position or mode.startswith("a"):
        raise ModelFileError(
            f"{describe(file)}: cannot write to this file",
            expected="a file at its beginning, which is not opened to append",
            received=f"a file at position {position}, of mode {mode!r}",
            fix="call file.seek(0) first, or open a file of its own with mode 'wb'",
        )
    file.seek(0, os.SEEK_END)
    if file.tell():
        file.seek(0)
        file.truncate()


def _checked_file_object(file: BinaryIO, method: str) -> BinaryIO:
    usable = all(callable(getattr(file, name, None)) for name in (method, "seek", "tell"))
    if (
        not usable
        or isinstance(file, io.TextIOBase)
        or not getattr(file, "seekable", lambda: True)()
    ):
        raise ModelFileTypeError(
            "cannot use this as a file",
            expected=f"a path or a binary, seekable file to {method}",
            received=type(file).__name__,
            fix="open the file in binary mode, or pass its path",
        )
    return file


TEMPORARY = ".keras_fn-{}.tmp"
"""Names of what is written and not complete yet."""
_JOURNAL, _JOURNAL_BYTES = b"keras_fn: files of an unfinished write\n", 1 << 24
_SECONDS_TO_RENAME = 60  # of a file that was closed


@contextlib.contextmanager
def atomic_write(path: PathLike, mode: int | None = None) -> Iterator[BinaryIO]:
    """Context manager for an atomic write: a new file replaces `path` if there is no error.

    At every moment the file at `path` is either the complete old one or the complete new one, also
    if the process is killed; the next write to the folder removes what that left. A symbolic link
    is kept, and its target is replaced. Folders that are missing are created.

    Args:
        path: The path of the file.
        mode: Permission bits. By default those of the existing file, or those of the umask.

    Raises:
        OSError: The file cannot be written. `path` is unchanged.
        ModelFileError: The path is a URL, or not the path of a regular file.
    """
    target = os.path.realpath(local_path(path))
    mode = _mode_for(target) if mode is None else mode
    directory = os.path.dirname(target)
    os.makedirs(directory, exist_ok=True)
    remove_unfinished_files(directory)
    try:
        temporary, descriptor = _create_locked(directory, mode)
    except OSError as error:  # which names the temporary file
        raise OSError(error.errno, error.strerror, target) from None
    try:
        with open(descriptor, "w+b") as file:
            if mode is not None:
                os.chmod(temporary, mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                os.replace(temporary, target)  # while it is locked
        if fcntl is None:  # Windows renames no file that is open
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(directory)


def _create_locked(directory: str, mode: int | None) -> tuple[str, int]:
    """Creates a temporary file, locked while it is open; returns its path and descriptor."""
    flags = (
        os.O_RDWR
        | os.O_CREAT
        | os.O_EXCL
        | getattr(os, "O_CLOEXEC", 0)
        | getattr(os, "O_BINARY", 0)
    )
    while True:
        path = os.path.join(directory, TEMPORARY.format(secrets.token_hex(8)))
        # Created with the final permissions, so that a private file is never readable by others.
        descriptor = os.open(path, flags, _NEW_FILE_MODE if mode is None else mode & 0o700)
        lock(descriptor, wait=True)
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)  # another process removed it before it was locked


def remove_unfinished_files(directory: PathLike) -> None:
    """Removes the temporary files of writes to a folder that were killed.

    Args:
        directory: The folder.
    """
    start, _, end = TEMPORARY.partition("{}")
    try:
        with os.scandir(os.fsdecode(directory)) as entries:
            paths = [e.path for e in entries if e.name.startswith(start) and e.name.endswith(end)]
    except PermissionError:  # a folder that one may write to, but not list
        return
    for path in paths:
        with contextlib.suppress(OSError):  # it is gone, is a link, or another process writes it
            _remove_unfinished(path)


def _remove_unfinished(path: str) -> None:
    # Windows removes no file that is open, and renames one that is closed.
    if fcntl is None and time.time() - os.stat(path).st_mtime <= _SECONDS_TO_RENAME:
        return
    flags = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    descriptor = os.open(path, os.O_RDWR | sum(flags))
    try:
        if not lock(descriptor, wait=False):
            return
        _remove_recorded(descriptor, os.path.dirname(path))
        if fcntl is not None:
            os.unlink(path)  # while it is locked
    finally:
        os.close(descriptor)
    if fcntl is None:
        os.unlink(path)


@contextlib.contextmanager
def journal(index: Path) -> Iterator[Callable[[BinaryIO, Mapping[str, BinaryIO], set[str]], None]]:
    """Context manager around an atomic write of several files, of which the last is their index.

    If the process is killed inside, the next write to the folder removes the files that belong to
    no index: the new ones, or the old ones if the new index was complete.

    Args:
        index: The path of the index.

    Yields:
        A function to call before the first file gets its name, with the new index, the new files by
        their names, and the names of the old files.
    """
    directory = os.path.dirname(os.path.realpath(index)) or "."
    path, descriptor = _create_locked(directory, None)

    def record(new_index: BinaryIO, new: Mapping[str, BinaryIO], old: set[str]) -> None:
        inodes = {name: os.fstat(file.fileno()).st_ino for name, file in new.items()}
        files = {
            "index": [index.name, os.fstat(new_index.fileno()).st_ino],
            "new": inodes,
            "old": {name: _inode(os.path.join(directory, name)) for name in old},
        }
        os.write(descriptor, _JOURNAL + json.dumps(files).encode())
        os.fsync(descriptor)

    try:
        yield record
    finally:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(path)


def _remove_recorded(descriptor: int, directory: str) -> None:
    """Removes the files of no index that a journal names, if they are still the same files."""
    if os.read(descriptor, len(_JOURNAL)) != _JOURNAL:
        return
    with contextlib.suppress(KerasError, LookupError, TypeError, ValueError):  # it is cut off
        files = parse_json(os.read(descriptor, _JOURNAL_BYTES))
        name, inode = files["index"]
        is_complete = _inode(os.path.join(directory, os.path.basename(name))) == inode
        for name, inode in files["old" if is_complete else "new"].items():
            path = os.path.join(directory, os.path.basename(name))
            if inode is not None and _inode(path) == inode:
                os.unlink(path)


def _inode(path: str) -> int | None:
    try:
        return os.lstat(path).st_ino
    except OSError:
        return None


def lock(descriptor: int, wait: bool) -> bool:
    """Locks an open file or folder until it is closed, and returns whether it is locked now.

    Args:
        descriptor: The file or folder.
        wait: Whether to wait for another process that holds the lock.
    """
    if fcntl is None:  # Windows removes no file that is open
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # another process holds it, or the file system has no locks
        return False
    return True


@contextlib.contextmanager
def locked_folder(folder: PathLike) -> Iterator[None]:
    """Context manager in which no one else is in such a context for a folder, if it has locks.

    Args:
        folder: The folder.
    """
    try:
        descriptor = None if fcntl is None else os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that one may write to, but not list
        descriptor = None
    try:
        if descriptor is not None:
            lock(descriptor, wait=True)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _mode_for(target: str) -> int | None:
    """Returns the permission bits of the file at `target`, None if there is none."""
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), target)
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(
            f"{target}: not a regular file",
            expected="a regular file, or none",
            received=f"file type {stat.filemode(status.st_mode)[0]!r}",
        )
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    return stat.S_IMODE(status.st_mode) & 0o777


def sync_directory(directory: str) -> None:
    """Makes new names in a folder durable, if folders can be synced (not on Windows).

    Args:
        directory: The folder.
    """
    if os.name != "posix":
        return
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except PermissionError:  # a folder that one may write to, but not list
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def path_aside(folder: Path) -> Path:
    """Returns where an old folder is while a new one takes its place in two steps.

    Args:
        folder: The path of the folder.
    """
    return folder.with_name(f".{folder.name}.keras_fn-old")


def complete_folder(path: PathLike) -> Path:
    """Returns the folder of a path, or where the old one is if a write was killed halfway.

    Args:
        path: The path.
    """
    target = Path(local_path(path))
    aside = path_aside(Path(os.path.realpath(target)))
    return aside if aside.is_dir() and not target.exists() else target
