"""Writing a folder as a whole: a new one takes the place of an old one in one step.

Nothing here reads a model: that is `keras_folder`.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_fn.core.folder_exchange import exchange_folders
from keras_fn.saving.file_io import PathLike, local_path, path_aside, sync_directory
from keras_fn.saving.unfinished import create_folder, permissions, remove_unfinished


@contextlib.contextmanager
def atomic_folder(path: PathLike, members: Iterable[str]) -> Iterator[Path]:
    """Context manager for an atomic write: a new folder replaces `path` if there is no error.

    At every moment the folder at `path` is either the complete old one or the complete new one,
    also if the process is killed; the next write next to it removes what that left. Where the file
    system cannot exchange two folders in one step, the path is free for a moment, and the old
    folder is where `complete_folder` finds it. What the old folder holds in addition to `members`
    is in the new one.

    Args:
        path: The path of the folder. A symbolic link is kept, and its target is replaced.
        members: The names of the files and folders in it that are replaced.

    Yields:
        The path of the new folder, empty.

    Raises:
        OSError: The folder cannot be written. `path` is unchanged.
        ModelFileError: The path is a URL, or not the path of a folder.
    """
    target = Path(os.path.realpath(local_path(path)))
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(target.parent)
    _restore(target)
    mode = permissions(str(target), is_folder=True)
    path_of_new, descriptor = create_folder(str(target.parent), mode)
    temporary = Path(path_of_new)
    try:
        yield temporary
        if mode is not None:
            _link_others(target, temporary, set(members))
            os.chmod(temporary, mode)
        _sync_tree(temporary)
        _replace(temporary, target)
        sync_directory(str(target.parent))
        shutil.rmtree(path_aside(target), ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # the new folder, or the old one
        if descriptor is not None:
            os.close(descriptor)


def _restore(target: Path) -> None:
    """Puts an old folder back that a killed write left aside."""
    aside = path_aside(target)
    if aside.is_dir():
        if target.exists():
            shutil.rmtree(aside)
        else:
            os.rename(aside, target)


def _link_others(old: Path, new: Path, members: set[str]) -> None:
    """Gives a new folder the other files of an old one, without copying where that is possible."""
    for entry in os.scandir(old):
        if entry.name in members or os.path.lexists(new / entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.copytree(entry.path, new / entry.name, symlinks=True, copy_function=_link)
        elif entry.is_symlink():
            os.symlink(os.readlink(entry.path), new / entry.name)
        else:
            _link(entry.path, str(new / entry.name))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the file system has no links
        shutil.copy2(source, target)


def _sync_tree(folder: Path) -> None:
    for directory, _, _ in os.walk(folder):
        sync_directory(directory)


def _replace(new: Path, target: Path) -> None:
    """Gives a new folder its name, and the temporary name to an old one, if there is one."""
    current = _current_folder()
    if not target.exists():
        try:
            os.rename(new, target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise  # else another process made it meanwhile
    if not exchange_folders(new, target):
        aside = path_aside(target)
        os.rename(target, aside)
        try:
            os.rename(new, target)
        except BaseException:
            os.rename(aside, target)
            raise
    if current is not None and target in (current, *current.parents) and current.is_dir():
        os.chdir(current)  # the folder of this name; the process is still in the old one


def _current_folder() -> Path | None:
    try:
        return Path(os.path.realpath(os.getcwd()))
    except FileNotFoundError:  # it was removed
        return None
