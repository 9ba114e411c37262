"""Opening model files for reading, and writing them atomically."""

import contextlib
import errno
import io
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.unfinished import create_file, permissions, remove_unfinished

PathLike = str | bytes | os.PathLike
Buffer = bytes | bytearray | memoryview

# Two letters at least: `C:` is a Windows drive.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")
_WORTH_RESERVING = 1 << 20  # bytes


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
    mode = permissions(target) if mode is None else mode
    directory = os.path.dirname(target)
    os.makedirs(directory, exist_ok=True)
    remove_unfinished(directory)
    try:
        temporary, descriptor = create_file(directory, mode)
    except OSError as error:  # which names the temporary file
        raise OSError(error.errno, error.strerror, target) from None
    try:
        with _WriteBehindFile(descriptor) as file:
            if mode is not None:
                os.chmod(temporary, mode)
            yield file
            file.sync()
            if os.name == "posix":
                os.replace(temporary, target)  # while it is locked
        if os.name != "posix":  # Windows renames no file that is open
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(directory)


class _WriteBehindFile(io.BufferedRandom):
    """A new file: a thread writes its content to the disk while more content is written to it."""

    _BYTES = 1 << 24  # that are worth it

    def __init__(self, descriptor: int):
        super().__init__(io.FileIO(descriptor, "r+b"))
        self._written = 0
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        self._written += count
        if self._written >= self._BYTES and not (self._thread and self._thread.is_alive()):
            self._written = 0
            self._thread = threading.Thread(target=self._sync_some, name="keras_fn-sync")
            try:
                self._thread.start()
            except RuntimeError:  # none starts while the program ends
                self._thread = None
        return count

    def _sync_some(self) -> None:
        try:
            getattr(os, "fdatasync", os.fsync)(self.fileno())
        except OSError as error:  # the system reports it once
            self._error = error

    def sync(self) -> None:
        """Waits until the content is on the disk."""
        self.flush()
        self._join()
        if self._error is not None:
            raise self._error
        os.fsync(self.fileno())

    def close(self) -> None:
        self._join()
        super().close()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def reserve_space(file: BinaryIO, size: int) -> None:
    """Reserves space on the disk for what is about to be written, if the file is on one.

    The system then finds the space once, and a full disk is known before the content is written.

    Args:
        file: The file, at the position of the content.
        size: The number of its bytes.

    Raises:
        OSError: There is not enough space.
    """
    if size < _WORTH_RESERVING or not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), file.tell(), size)
    except (AttributeError, io.UnsupportedOperation):  # a file in memory
        return
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise
        # else the file system reserves none


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
