"""Writing a sharded checkpoint: each process writes its slices, process 0 the index, last.

Processes meet by files in the new folder, so that a thread in the background can write, while the
main one trains. The folder gets its name when all are complete: it is whole, or it is the old one.
"""

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.variable import Variable
from keras_fn.distribution.processes import (
    MissingProcessError,
    ProcessError,
    agreement,
    exchange_text,
    processes,
)
from keras_fn.errors import SpecError
from keras_fn.saving.checkpoint.checkpoint_index import (
    INDEX,
    Bounds,
    CheckpointIndex,
    Piece,
    StoredVariable,
    check_index_size,
    encode_index,
    file_name,
)
from keras_fn.saving.checksum import write_groups
from keras_fn.saving.file_io import PathLike, complete_folder, describe
from keras_fn.saving.folder_writer import atomic_folder

PIECE_BYTES = 1 << 23  # of a slice, which have a checksum: a reader reads whole ones
_POLL_SECONDS = 0.005
_FIX = "look at the output of that process first: it has the cause"


class OwnedSlices(NamedTuple):
    """The slices of a variable that this process writes.

    Attributes:
        shape: The shape of the whole variable.
        dtype: Its dtype.
        slices: Where each slice starts, and its values.
    """

    shape: Bounds
    dtype: np.dtype
    slices: list[tuple[Bounds, np.ndarray]]


def find_owned_slices(
    variables: Mapping[str, Variable], copy: bool = True
) -> dict[str, OwnedSlices]:
    """Returns the slices of variables that this process writes: each element is in one process.

    Args:
        variables: The variables by path, the same in all processes.
        copy: Whether the values share no memory with the variables, which may change.
    """
    found = {}
    for i, (path, variable) in enumerate(variables.items()):
        owned = variable._owned_slices()
        if owned is None:  # all processes have it, and take turns
            is_own = i % processes.count == processes.index
            owned = [((), variable._view())] if is_own else []
        slices = [(_start(index, variable.shape), np.array(x) if copy else x) for index, x in owned]
        dtype = slices[0][1].dtype if slices else numpy_dtype(variable._dtype)
        found[path] = OwnedSlices(variable.shape, dtype, slices)
    return found


def _start(index: tuple[slice, ...], shape: Bounds) -> Bounds:
    starts = [s.indices(n)[0] for s, n in zip(index, shape, strict=False)]
    return (*starts, *[0] * (len(shape) - len(starts)))


def own_array(array: np.ndarray) -> OwnedSlices:
    """Returns an array, which process 0 writes, as a variable of one slice.

    Args:
        array: The array, in process 0.
    """
    slices = [((0,) * array.ndim, array)] if processes.index == 0 else []
    return OwnedSlices(array.shape, array.dtype, slices)


@contextlib.contextmanager
def open_checkpoint_folder(path: PathLike, source: str) -> Iterator[Path]:
    """Context manager of the new folder of a checkpoint; all processes enter it.

    It replaces `path` as a whole at the end of the context of process 0.

    Args:
        path: The path of the checkpoint, in a file system that all processes see.
        source: The caller, for errors.

    Yields:
        The path of the new folder.
    """
    with contextlib.ExitStack() as stack:
        with agreement(source):
            folder = _enter_folder(path, source, stack)
        yield folder


def _enter_folder(path: PathLike, source: str, stack: contextlib.ExitStack) -> Path:
    """Returns the new folder, which process 0 creates: the stack gives it its name."""
    name, fix = "checkpoint", "call it in all processes: each writes its part"
    if processes.index:
        folder = exchange_text(name, source=source, fix=fix)[0]
        if not folder:
            raise ProcessError(
                source,
                expected="a new folder, which process 0 creates",
                received="none: it has raised an error",
                fix=_FIX,
            )
        _check_visible(Path(folder), source)
        return Path(folder)
    try:
        old = _check_replaceable(complete_folder(path), source)
        new = stack.enter_context(atomic_folder(path, old))
    except BaseException:
        with contextlib.suppress(MissingProcessError):
            exchange_text(name, source=source)  # the others wait for it
        raise
    exchange_text(name, str(new), source, fix)
    return new


def _check_replaceable(folder: Path, source: str) -> list[str]:
    """Returns what is in an old checkpoint; raises an error if a folder is something else."""
    names = os.listdir(folder) if folder.is_dir() else []
    if names and INDEX not in names:
        raise SpecError(
            source,
            expected="a new or empty folder, or that of a checkpoint, which is replaced",
            received=f"{folder}, which holds {names[0]}",
            fix="choose another path",
        )
    return names


def _check_visible(folder: Path, source: str) -> None:
    if not folder.is_dir():
        raise SpecError(
            source,
            expected="a folder that all processes see",
            received=f"{folder.parent}, which process {processes.index} does not share",
            fix="write checkpoints to a file system that all hosts have",
        )


def write_checkpoint(
    folder: Path, variables: Mapping[str, OwnedSlices], state: Any, source: str
) -> None:
    """Writes the slices of this process; process 0 waits for the others, and writes the index.

    Args:
        folder: The new folder, of `open_checkpoint_folder`.
        variables: The slices that this process owns, by paths that are the same in all processes.
        state: Plain values, for JSON; those of process 0 are written.
        source: The caller, for errors.

    Raises:
        ProcessError: Another process has not written its part.
        OSError: The files cannot be written.
    """
    table: dict[str, Any] = {"error": None}
    try:
        table |= _write_slices(folder / file_name(processes.index, processes.count), variables)
    except BaseException as error:
        table["error"] = f"{type(error).__name__}: {error}"
        raise
    finally:
        if processes.index:
            _publish(_table_path(folder, processes.index), table)
    if processes.index:
        return
    tables = [table, *(_wait_for_table(folder, i, source) for i in range(1, processes.count))]
    content = encode_index(_join(variables, tables, state))
    check_index_size(len(content))
    with open(folder / INDEX, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _write_slices(path: Path, variables: Mapping[str, OwnedSlices]) -> dict[str, Any]:
    """Writes a file, and returns the table of what is in it."""
    pieces = [
        (number, start, part)
        for number, owned in enumerate(variables.values())
        for first, array in owned.slices
        for start, part in _split(first, array, owned.shape)
    ]
    size = sum(part.nbytes for _, _, part in pieces)
    with open(path, "xb") as file:
        checksums = write_groups(file, ([_bytes_of(part)] for _, _, part in pieces), size)
        file.flush()
        os.fsync(file.fileno())
    rows, offset = [], 0
    for (number, start, part), crc in zip(pieces, checksums, strict=True):
        stop = [a + n for a, n in zip(start, part.shape, strict=True)]
        rows.append([number, part.dtype.name, offset, list(start), stop, crc])
        offset += part.nbytes
    return {"size": size, "slices": rows}


def _split(first: Bounds, array: np.ndarray, shape: Bounds) -> Iterator[tuple[Bounds, np.ndarray]]:
    """Yields parts of a slice: the same rows, however other axes are sharded."""
    if not array.size:
        return
    if not array.ndim:
        yield first, array
        return
    rows = max(1, PIECE_BYTES // (math.prod(shape[1:]) * array.dtype.itemsize))
    for row in range(0, len(array), rows):
        yield (first[0] + row, *first[1:]), array[row : row + rows]


def _bytes_of(array: np.ndarray) -> memoryview:
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _table_path(folder: Path, process: int) -> Path:
    return folder / f"table-{process:05}.json"


def _publish(path: Path, table: dict[str, Any]) -> None:
    """Writes a file that is complete when it has its name."""
    unfinished = path.with_suffix(".unfinished")
    with contextlib.suppress(OSError):  # process 0 says that this one has not written its part
        unfinished.write_text(json.dumps(table), "utf-8")
        os.replace(unfinished, path)


def _wait_for_table(folder: Path, process: int, source: str) -> dict[str, Any]:
    """Returns the table of another process, and removes its file."""
    path = _table_path(folder, process)
    end = time.monotonic() + (processes.timeout or 0)
    while not path.exists():
        has_died = process in processes.died
        if has_died or time.monotonic() > end:
            raise MissingProcessError(
                source,
                expected=f"slices of each of the {processes.count} processes",
                received=f"process {process} has {'ended' if has_died else 'not written its own'}",
                fix=_FIX,
            )
        time.sleep(_POLL_SECONDS)
    table = json.loads(path.read_text("utf-8"))
    path.unlink()
    if table["error"]:
        raise ProcessError(
            source,
            expected=f"slices of each of the {processes.count} processes",
            received=f"process {process} could not write its own: {table['error']}",
            fix=_FIX,
        )
    return table


def _join(
    variables: Mapping[str, OwnedSlices], tables: list[dict[str, Any]], state: Any
) -> CheckpointIndex:
    """Returns the index of what all processes have written."""
    paths = list(variables)
    pieces: dict[str, dict[Bounds, Piece]] = {path: {} for path in paths}
    dtypes = {path: owned.dtype.name for path, owned in variables.items()}
    for file, table in enumerate(tables):
        for number, dtype, offset, start, stop, crc in table["slices"]:
            path = paths[number]
            dtypes[path] = dtype
            pieces[path][tuple(start)] = Piece(file, offset, tuple(start), tuple(stop), crc)
    stored = {
        path: StoredVariable(owned.shape, np.dtype(dtypes[path]), pieces[path], [])
        for path, owned in variables.items()
    }
    return CheckpointIndex([table["size"] for table in tables], stored, state)


def write_whole(
    path: PathLike,
    variables: Callable[[], tuple[Mapping[str, OwnedSlices], Any]],
    source: str,
) -> None:
    """Writes a checkpoint from all processes, which return when it is complete.

    Args:
        path: The path of the checkpoint.
        variables: Returns the slices of this process, and the state.
        source: The caller, for errors.

    Raises:
        ProcessError: Another process has raised an error, or has not written its part. The old
            checkpoint is there then.
        OSError: It cannot be written.
    """
    with agreement(source), open_checkpoint_folder(path, source) as folder:
        with agreement(source):
            slices, state = variables()  # it can call layers of the program, which can raise errors
        write_checkpoint(folder, slices, state, f"{source}, {describe(path)}")
