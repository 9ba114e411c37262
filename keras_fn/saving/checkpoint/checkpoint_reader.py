"""Reading a sharded checkpoint: the slices that a process needs, each checked before it is used."""

import contextlib
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.checkpoint.checkpoint_index import (
    INDEX,
    CheckpointIndex,
    Piece,
    StoredVariable,
    check_index_size,
    decode_index,
    file_name,
    malformed,
    overlapping,
)
from keras_fn.saving.errors import ModelFileError, model_file_errors, sanitize_for_display
from keras_fn.saving.file_io import PathLike, complete_folder, describe, local_path
from keras_fn.saving.hdf5.datatypes import can_read_as
from keras_fn.saving.member_files import checked_size, not_plain, open_member, read_folder

Index = tuple[slice, ...]


def is_checkpoint(path: PathLike) -> bool:
    """Returns whether a path is a folder with the index of a sharded checkpoint.

    Args:
        path: The path.
    """
    return (complete_folder(path) / INDEX).is_file()


@contextlib.contextmanager
def open_checkpoint(path: PathLike) -> Iterator["Checkpoint"]:
    """Context manager of a checkpoint, whose index was checked whole.

    Args:
        path: The path of its folder.

    Raises:
        ModelFileError: It is not a checkpoint, or is damaged.
        OSError: It cannot be read.
    """
    with contextlib.ExitStack() as stack:
        name = describe(path)
        local_path(path)
        yield read_folder(path, lambda folder, files: _open(name, folder, files), stack)


def _open(name: str, folder: Path, stack: contextlib.ExitStack) -> "Checkpoint":
    with _open_plain(folder / INDEX) as file:
        check_index_size(os.fstat(file.fileno()).st_size)
        index = decode_index(file.read())
    views = []
    for i, expected in enumerate(index.files):
        path = folder / file_name(i, len(index.files))
        file = stack.enter_context(_open_plain(path))
        size = checked_size(path)
        if size != expected:
            raise malformed(f"the size of {path.name} is another one", expected, size)
        views.append(ByteView(file, 0, size))
    return Checkpoint(name, index, views)


def _open_plain(path: Path) -> BinaryIO:
    """Opens a file of the folder, which is not a link."""
    if path.is_symlink():
        raise not_plain(path.name, "a link")
    return open_member(path)


class Checkpoint:
    """An open checkpoint, whose variables can be read as those of a file of weights.

    Attributes:
        name: Its name in error messages.
        state: The plain values that were saved with it.
        datasets: Its variables, by path.
        groups: Empty: there are no groups with attributes.
    """

    def __init__(self, name: str, index: CheckpointIndex, files: list[ByteView]):
        self.name, self.state = name, index.state
        self.datasets: Mapping[str, StoredVariable] = index.variables
        self.groups: list[str] = []
        self._files = files

    def attribute_names(self, path: str) -> list[str]:
        """Returns an empty list: the format has no attributes."""
        del path
        return []

    def attribute(self, path: str, name: str) -> None:
        """Returns None: the format has no attributes."""

    @contextlib.contextmanager
    def background_checks(self) -> Iterator[None]:
        """Context manager that does nothing: each slice is checked before it is used."""
        yield

    def read(self, path: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """Returns a whole variable.

        Args:
            path: Its path.
            shape: Its shape.
            dtype: The dtype that it is converted to, from one of the same kind.

        Raises:
            ModelFileError: There is no such variable, it has another shape or kind of dtype, or a
                checksum is wrong.
        """
        return self.read_slice(path, (), shape, dtype)

    def read_slice(
        self, path: str, index: Index, shape: tuple[int, ...], dtype: DTypeLike
    ) -> np.ndarray:
        """Returns a part of a variable: the slices that have elements of it are read.

        Args:
            path: Its path.
            index: A slice without a step for each axis; the others are whole.
            shape: The shape of the whole variable.
            dtype: The dtype that it is converted to, from one of the same kind.

        Raises:
            ModelFileError: As for `read`.
        """
        with model_file_errors(self.name, sanitize_for_display(path)):
            variable, wanted = self.datasets.get(path), np.dtype(dtype)
            if variable is None or variable.shape != tuple(shape):
                raise malformed("the variable is another one", shape, variable and variable.shape)
            if not can_read_as(variable.dtype, wanted):
                raise malformed("the dtype is another one", wanted.name, variable.dtype.name)
            return self._gather(variable, index).astype(wanted, copy=False)

    def verify(self, part: int = 0, parts: int = 1) -> None:
        """Compares slices with their checksums.

        Args:
            part: Which part of the slices, as several processes share the work.
            parts: The number of parts.

        Raises:
            ModelFileError: One is not what was saved.
        """
        slices = [(path, v, p) for path, v in self.datasets.items() for p in v.pieces.values()]
        for path, variable, piece in slices[part::parts]:
            with model_file_errors(self.name, sanitize_for_display(path)):
                self._read_into(np.empty(piece.shape, variable.dtype), piece)

    def _gather(self, variable: StoredVariable, index: Index) -> np.ndarray:
        whole = (*index, *[slice(None)] * (len(variable.shape) - len(index)))
        bounds = [s.indices(n)[:2] for s, n in zip(whole, variable.shape, strict=True)]
        out = np.empty([b - a for a, b in bounds], variable.dtype)
        for piece, inside, there in overlapping(variable, bounds):
            target = out[(*there, ...)]  # a view, also of a scalar
            if target.shape == piece.shape and target.flags.c_contiguous:
                self._read_into(target, piece)
            else:
                values = np.empty(piece.shape, variable.dtype)
                self._read_into(values, piece)
                out[there] = values[inside]
        return out

    def _read_into(self, values: np.ndarray, piece: Piece) -> None:
        raw = values.reshape(-1).view(np.uint8)
        view = self._files[piece.file]
        view.seek(piece.offset)
        if view.readinto(raw) != math.prod(piece.shape) * values.dtype.itemsize:
            raise malformed("a file is too short")
        if zlib.crc32(raw.data) != piece.crc:
            raise ModelFileError(
                "a slice is not what was saved (CRC-32 differs)",
                fix="the checkpoint is damaged; use another one",
            )
        if values.dtype == bool and raw.size and raw.max() > 1:
            raise malformed("a boolean is neither true nor false", "0 or 1", int(raw.max()))
