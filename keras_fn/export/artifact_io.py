"""Writing an exported artifact, a file or a folder, as a whole or not at all."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from keras_fn.core.temporary_folder import temporary_folder
from keras_fn.distribution.processes import agreement, is_primary
from keras_fn.errors import SpecError
from keras_fn.saving.file_io import atomic_write, complete_folder, local_path
from keras_fn.saving.folder_writer import atomic_folder
from keras_fn.types import PathLike

_COPY_BYTES = 1 << 20


def write_files(path: PathLike, write: Callable[[str], None]) -> None:
    """Writes an artifact of one file, or of several whose names start alike.

    Args:
        path: The path of the first file. Others are written next to it.
        write: Writes them at the path that it receives, in an empty folder.
    """
    target = Path(local_path(path))
    with agreement("export"), temporary_folder() as folder:
        write(os.path.join(folder, target.name))  # all processes, as they gather values
        if not is_primary():
            return
        names = sorted(os.listdir(folder), key=lambda name: name == target.name)
        for name in names:  # the file that refers to others is the last
            with (
                open(os.path.join(folder, name), "rb") as file,
                atomic_write(target.with_name(name)) as copy,
            ):
                shutil.copyfileobj(file, copy, _COPY_BYTES)


def write_folder(path: PathLike, write: Callable[[str], None], marker: str) -> None:
    """Writes an artifact that is a folder. An old one of the same kind is replaced.

    Args:
        path: The path of the folder.
        write: Writes the artifact into the empty folder whose path it receives.
        marker: A file that every artifact of the kind has.

    Raises:
        SpecError: At the path is a file, or a folder with something else.
    """
    target = Path(os.path.realpath(local_path(path)))
    with agreement("export"):
        _check_replaceable(target, marker)
        if is_primary():
            previous = complete_folder(target)
            old = os.listdir(previous) if previous.is_dir() else []
            with atomic_folder(target, old) as new:  # which keeps nothing of the old one
                write(str(new))
        else:
            with temporary_folder() as folder:  # all processes gather values
                write(folder)


def _check_replaceable(target: Path, marker: str) -> None:
    if not target.exists() or (target / marker).is_file():
        return
    is_folder = target.is_dir()
    if is_folder and not any(target.iterdir()):
        return
    raise SpecError(
        f"{target} is not replaced",
        expected=f"no file there, an empty folder, or one with {marker}",
        received="a folder with other files" if is_folder else "a file",
        fix="export to another path, or remove it first",
    )
