"""What is written and not complete yet: temporary files and folders, locked by their writer.

A writer that is killed loses its lock, so that the next one knows what it left, and removes it.
"""

import contextlib
import errno
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from keras_fn.errors import KerasError
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.strict_json import parse_json
from keras_fn.types import PathLike

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

TEMPORARY = ".keras_fn-{}.tmp"
"""Names of what is written and not complete yet."""
_JOURNAL, _JOURNAL_BYTES = b"keras_fn: files of an unfinished write\n", 1 << 24
_GONE = -1  # instead of a descriptor
_NEW_FILE, _NEW_FOLDER = 0o666, 0o777  # permissions, of which the umask removes some
# Where there are no locks, as on Windows, the age at which something was certainly left.
_SECONDS_TO_RENAME = 60  # a file that was closed: one that is open cannot be removed there
_SECONDS_TO_WRITE = 24 * 3600  # a folder


# ---------------------------------------------------------------- locks


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


# ---------------------------------------------------------------- creation


def permissions(target: str, is_folder: bool = False) -> int | None:
    """Returns the permission bits of what a write is going to replace, None if there is nothing.

    Args:
        target: The path, after links.
        is_folder: Whether a folder is going to be there, not a file. Default False.

    Raises:
        ModelFileError: There is something else.
        PermissionError: It may not be replaced.
    """
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):  # links in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), target)
    if not (stat.S_ISDIR if is_folder else stat.S_ISREG)(status.st_mode):
        kind = "folder" if is_folder else "regular file"
        raise ModelFileError(
            f"{target}: not a {kind}",
            expected=f"a {kind}, or none",
            received=f"file type {stat.filemode(status.st_mode)[0]!r}",
            fix="choose another path, or remove what is there",
        )
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    return stat.S_IMODE(status.st_mode) & (0o7777 if is_folder else 0o777)


def create_file(directory: str, mode: int | None) -> tuple[str, int]:
    """Creates a temporary file, locked while it is open; returns its path and descriptor.

    Args:
        directory: The folder that it is in.
        mode: The permission bits that it is going to have, None for those of the umask.
    """
    flags = (
        os.O_RDWR
        | os.O_CREAT
        | os.O_EXCL
        | getattr(os, "O_CLOEXEC", 0)
        | getattr(os, "O_BINARY", 0)
    )
    # Created with the final permissions, so that a private file is never readable by others.
    first_mode = _NEW_FILE if mode is None else mode & 0o700
    path, descriptor = _create_locked(directory, lambda path: os.open(path, flags, first_mode))
    assert descriptor is not None
    return path, descriptor


def create_folder(directory: str, mode: int | None) -> tuple[str, int | None]:
    """Creates a temporary folder, locked while its descriptor is open, where there are locks.

    Args:
        directory: The folder that it is in.
        mode: The permission bits that it is going to have, None for those of the umask.
    """

    def create(path: str) -> int | None:
        # Others never see what is going to be in a private folder.
        os.mkdir(path, _NEW_FOLDER if mode is None else 0o700)
        try:
            return None if fcntl is None else os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return _GONE

    return _create_locked(directory, create)


def _create_locked(directory: str, create: Callable[[str], int | None]) -> tuple[str, int | None]:
    while True:
        path = os.path.join(directory, TEMPORARY.format(secrets.token_hex(8)))
        descriptor = create(path)
        if descriptor is None:
            return path, None
        if descriptor == _GONE:  # another process removed it before it was opened
            continue
        lock(descriptor, wait=True)
        if os.path.lexists(path):
            return path, descriptor
        os.close(descriptor)  # another process removed it before it was locked


# ---------------------------------------------------------------- removal


def remove_unfinished(directory: PathLike) -> None:
    """Removes the temporary files and folders of writes to a folder that were killed.

    Args:
        directory: The folder.
    """
    start, _, end = TEMPORARY.partition("{}")
    try:
        with os.scandir(os.fsdecode(directory)) as entries:
            found = [e for e in entries if e.name.startswith(start) and e.name.endswith(end)]
    except PermissionError:  # a folder that one may write to, but not list
        return
    for entry in found:
        with contextlib.suppress(OSError):  # it is gone, is a link, or another process writes it
            remove = _remove_folder if entry.is_dir(follow_symlinks=False) else _remove_file
            remove(entry.path)


def _remove_file(path: str) -> None:
    # Windows removes no file that is open, and renames one that is closed.
    if fcntl is None and _age(path) <= _SECONDS_TO_RENAME:
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


def _remove_folder(path: str) -> None:
    if fcntl is None:
        if _age(path) > _SECONDS_TO_WRITE:
            shutil.rmtree(path)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if lock(descriptor, wait=False):
            shutil.rmtree(path)
    finally:
        os.close(descriptor)


def _age(path: str) -> float:
    return time.time() - os.stat(path).st_mtime


# ---------------------------------------------------------------- several files


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
    path, descriptor = create_file(directory, None)

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
    if hasattr(os, "geteuid") and os.fstat(descriptor).st_uid != os.geteuid():
        return  # in a folder that users share, another one could name any file
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
