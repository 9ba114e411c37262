"""Backups of a run of several devices or processes: a sharded checkpoint with the state."""

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn.distribution.processes import agreement, exchange_text, processes
from keras_fn.errors import SpecError
from keras_fn.saving.checkpoint.checkpoint_reader import Checkpoint, open_checkpoint
from keras_fn.saving.checkpoint.checkpoint_writer import (
    OwnedSlices,
    find_owned_slices,
    own_array,
    write_checkpoint,
)
from keras_fn.settings import settings
from keras_fn.training.backup_format import (
    SavedVariable,
    backup_errors,
    check_format,
    decode_state,
    encode_state,
)

_SOURCE = "BackupAndRestore"
_VARIABLES, _ARRAYS = "variables/", "state/"
_OWN = "data of each process"


def capture_slices(model: Any) -> dict[str, OwnedSlices]:
    """Returns host copies of the slices of variables that this process writes.

    Args:
        model: The model, built and compiled.
    """
    variables = {f"{_VARIABLES}{i:05} {v.path}": v for i, v in enumerate(model._state("train"))}
    return find_owned_slices(variables)


def gather_data_state(state: dict[str, Any]) -> dict[str, Any]:
    """Returns a state with the position of each process in its data, if each has its own.

    Args:
        state: The result of `capture_state`. All processes call it.
    """
    if settings.distribution.auto_shard_dataset:
        return state
    return {**state, "data": {_OWN: exchange_text("data state", _to_text(state["data"]), _SOURCE)}}


def _to_text(state: Any) -> str:
    encoded, arrays = encode_state(state)
    packed = {
        name: [x.dtype.str, x.shape, base64.b64encode(x.tobytes()).decode()]
        for name, x in arrays.items()
    }
    return json.dumps([encoded, packed])


def _from_text(text: str) -> Any:
    encoded, packed = json.loads(text)

    def fetch(name: str) -> np.ndarray:
        dtype, shape, content = packed[name]
        return np.frombuffer(base64.b64decode(content), dtype).reshape(shape).copy()

    return decode_state(encoded, fetch)


def _take_data_state(data: Any) -> Any:
    """Returns the position of this process, where each has its own."""
    if not isinstance(data, dict) or _OWN not in data:
        return data
    if len(data[_OWN]) != processes.count:
        raise SpecError(
            _SOURCE,
            expected=f"{len(data[_OWN])} processes, each of which goes on with its own data",
            received=f"{processes.count}",
            fix="start as many processes, or train on the same data with auto_shard_dataset=True",
        )
    return _from_text(data[_OWN][processes.index])


def write_sharded_backup(
    open_folder: ExitStack, folder: Path, slices: Mapping[str, OwnedSlices], state: dict[str, Any]
) -> None:
    """Writes the part of this process; that of process 0 completes the backup.

    Args:
        open_folder: The context of the new folder.
        folder: Its path.
        slices: The result of `capture_slices`.
        state: The result of `capture_state`; that of process 0 is written.
    """
    with open_folder:
        encoded, arrays = encode_state(state if processes.index == 0 else None)
        own = {f"{_ARRAYS}{name}": own_array(array) for name, array in arrays.items()}
        write_checkpoint(folder, {**slices, **own}, encoded, _SOURCE)


def read_sharded_backup(path: Path, open_files: ExitStack) -> dict[str, Any]:
    """Reads a backup, of which the variables are read when they are restored.

    Args:
        path: The path of the checkpoint.
        open_files: Closes its files.

    Returns:
        The state, for `restore_state`.

    Raises:
        ValueError: The checkpoint is damaged, or not a backup of this format.
    """
    with agreement(f"{_SOURCE}, {path}"), backup_errors(path):
        checkpoint = open_files.enter_context(open_checkpoint(path))
        checkpoint.verify(processes.index, processes.count)
        state = decode_state(checkpoint.state, lambda name: _read(checkpoint, _ARRAYS + name))
        check_format(path, state)
        state["data"] = _take_data_state(state["data"])
        names = sorted(name for name in checkpoint.datasets if name.startswith(_VARIABLES))
        state["variables"] = [
            SavedVariable(
                name.partition(" ")[2],
                checkpoint.datasets[name].shape,
                _slice_reader(checkpoint, name),
            )
            for name in names
        ]
    return state


def _read(checkpoint: Checkpoint, name: str) -> Any:
    info = checkpoint.datasets[name]
    return checkpoint.read(name, info.shape, info.dtype)


def _slice_reader(checkpoint: Checkpoint, name: str) -> Callable[[tuple[slice, ...]], Any]:
    info = checkpoint.datasets[name]
    return lambda index: checkpoint.read_slice(name, index, info.shape, info.dtype)
