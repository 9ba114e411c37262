"""Reading the files of a folder that is one saved thing: plain files, and of one save only."""

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from keras_fn.errors import KerasError
from keras_fn.saving.errors import ModelFileError, model_file_errors, sanitize_for_display
from keras_fn.saving.file_io import PathLike, complete_folder, describe
from keras_fn.saving.limits import current_limits
from keras_fn.saving.zip.strict_zip import malformed

_ATTEMPTS = 10  # at reading a folder that is saved at the same time
_BLOCK = 512  # bytes, of `st_blocks`

_Content = TypeVar("_Content")


def read_folder(
    path: PathLike,
    read: Callable[[Path, contextlib.ExitStack], _Content],
    stack: contextlib.ExitStack,
) -> _Content:
    """Reads a folder, again if a save replaced it meanwhile: its files are gone, or others.

    Args:
        path: The path of the folder.
        read: Reads it, and closes what it opens with the stack.
        stack: Closes the files.

    Returns:
        The result of `read`.
    """
    attempts = 0
    while True:
        attempts += 1
        folder = complete_folder(path)
        identity = _identity(folder)
        is_last = attempts == _ATTEMPTS
        try:
            with model_file_errors(describe(path)):
                content = read(folder, stack)
            if is_last or _identity(complete_folder(path)) == identity:
                return content
            stack.close()
        except (KerasError, OSError):
            stack.close()
            if is_last or _identity(complete_folder(path)) == identity:
                raise


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def open_member(path: Path) -> BinaryIO:
    """Opens a file that is neither a link nor a device.

    Args:
        path: Its path.

    Raises:
        ModelFileError: It is one.
        OSError: It cannot be opened.
    """
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it was replaced meanwhile
        file.close()
        raise not_plain(path.name, "another file")
    return file


def checked_size(path: Path) -> int:
    """Returns the size of a file, most of which is on the disk: one with a hole can be of any.

    Args:
        path: Its path.

    Raises:
        ModelFileError: It has large holes.
    """
    status, limits = path.stat(), current_limits()
    stored = getattr(status, "st_blocks", status.st_size // _BLOCK + 1) * _BLOCK
    if status.st_size > limits.unchecked_bytes and status.st_size > limits.inflation * stored:
        raise malformed(
            f"{path.name} is larger than what is stored of it",
            f"at most {limits.inflation} times its {stored} bytes on the disk",
            status.st_size,
        )
    return status.st_size


def not_plain(name: str, received: str) -> ModelFileError:
    """Returns the error for a member that is a link or a device.

    Args:
        name: Its name.
        received: What it is.
    """
    return ModelFileError(
        f"the member {sanitize_for_display(name, 100)!r} is not a regular file",
        expected="a regular file",
        received=received,
        fix="copy the file itself into the folder",
    )
