"""Backups of a run of several devices or processes: a sharded checkpoint with the state."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from keras_fn.distribution.processes import agreement, processes
from keras_fn.saving.checkpoint.checkpoint_reader import Checkpoint, open_checkpoint
from keras_fn.saving.checkpoint.checkpoint_writer import (
    OwnedSlices,
    find_owned_slices,
    own_array,
    write_checkpoint,
)
from keras_fn.training.backup_format import (
    SavedVariable,
    backup_errors,
    check_format,
    decode_state,
    encode_state,
)

_SOURCE = "BackupAndRestore"
_VARIABLES, _ARRAYS = "variables/", "state/"


def capture_slices(model: Any) -> dict[str, OwnedSlices]:
    """Returns host copies of the slices of variables that this process writes.

    Args:
        model: The model, built and compiled.
    """
    variables = {f"{_VARIABLES}{i:05} {v.path}": v for i, v in enumerate(model._state("train"))}
    return find_owned_slices(variables)


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
    encoded, arrays = encode_state(state if processes.index == 0 else None)
    own = {f"{_ARRAYS}{name}": own_array(array) for name, array in arrays.items()}
    with open_folder:
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
