"""Process 0 writes a file, with the shards of the others: each takes part in what is gathered.

Process 0 tells the others which variable it gathers next, so that the collectives have one order,
and the others write and keep nothing. What it has gathered is on the disk until it is written:
one gathered value at a time is in memory.
"""

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import BinaryIO

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.variable import Variable, gathering
from keras_fn.distribution.processes import (
    MissingProcessError,
    agreement,
    exchange_text,
    processes,
)

_SPILL_BYTES = 1 << 20  # of a value: smaller ones stay in memory
_FIX = "call it in all processes: process 0 writes, with the shards of the others"


def write_in_process_0(
    write: Callable[[], object],
    source: str,
    variables: Callable[[], Iterable[Variable]],
    folder: str | None = None,
) -> None:
    """Calls a function in process 0, while the others send what it reads of their shards.

    Args:
        write: The function, which may read variables.
        source: The caller, for errors.
        variables: Returns all variables that it may read, in an order that all processes have.
        folder: Where gathered values are until they are written. Default: that of the system.

    Raises:
        ProcessError: The others do not call it, too, or process 0 has raised an error.
    """
    if processes.timeout is None or gathering.gather is not None:
        write()
        return
    with agreement(source):
        exchange_text("write", source=source, fix=_FIX)
        if processes.index == 0:
            _lead(write, list(variables()), source, folder)
        else:
            _follow(list(variables()), source)


def _lead(
    write: Callable[[], object], variables: list[Variable], source: str, folder: str | None
) -> None:
    """Calls the function, and tells the others which variables it reads."""
    numbers = {id(variable): str(i) for i, variable in enumerate(variables)}
    is_there = folder is not None and os.access(folder, os.W_OK)
    try:
        with tempfile.TemporaryFile(dir=folder if is_there else None) as file:

            def gather(variable: Variable) -> np.ndarray:
                exchange_text("gather", numbers[id(variable)], source, _FIX)
                return _spill(current().convert_to_numpy(variable.value), file)

            gathering.gather = gather
            write()
    except MissingProcessError:
        raise
    except BaseException:
        gathering.gather = None
        with suppress(MissingProcessError):
            exchange_text("gather", source=source)
        raise
    finally:
        gathering.gather = None
    exchange_text("gather", source=source)


def _follow(variables: list[Variable], source: str) -> None:
    """Takes part in what process 0 gathers, until it is done."""
    while number := exchange_text("gather", source=source, fix=_FIX)[0]:
        variables[int(number)]._view()


def _spill(values: np.ndarray, file: BinaryIO) -> np.ndarray:
    """Returns values that are at the end of a file, if they are large."""
    if values.nbytes < _SPILL_BYTES:
        return np.array(values)
    offset = file.seek(0, os.SEEK_END)
    file.write(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    file.flush()
    mapped = np.memmap(file, np.uint8, "r", offset, (values.nbytes,))
    return np.asarray(mapped).view(values.dtype).reshape(values.shape)
