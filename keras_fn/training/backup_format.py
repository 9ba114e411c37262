"""Backups of a run of `fit`: capturing, restoring, and a file format of plain data and arrays."""

import copy
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.host_state import HostTensor
from keras_fn.distribution.processes import agreement
from keras_fn.errors import KerasError, SpecError
from keras_fn.saving.file_io import atomic_write

FORMAT = 2
_DAMAGE = (OSError, KeyError, TypeError, ValueError, EOFError, RecursionError, zipfile.BadZipFile)
_COUNTS = ("epoch", "step")  # of a position
_JSON_BITS = 64  # of an integer: readers refuse those of many digits, as of NumPy's generators


@dataclass
class TrainingPosition:
    """The position of a run of `fit`.

    Attributes:
        epoch: Index of the epoch.
        step: Number of completed steps in this epoch.
        stopped: Whether a callback has stopped the training.
        logs: The results of the last step.
    """

    epoch: int = 0
    step: int = 0
    stopped: bool = False
    logs: dict[str, Any] = field(default_factory=dict)


def capture_state(callbacks: list[Any], position: TrainingPosition, data: Any) -> dict[str, Any]:
    """Returns a host copy of everything but variables that the rest of a run depends on.

    Args:
        callbacks: The callbacks.
        position: The position of the run.
        data: The data adapter.
    """
    return {
        "format": FORMAT,
        "position": asdict(position),
        "callbacks": [[type(c).__name__, copy.deepcopy(c.get_state())] for c in callbacks],
        "data": data.get_state(),
    }


def capture_variables(model: Any) -> list[list[Any]]:
    """Returns the paths and host copies of all variables that a step changes.

    Args:
        model: The model, built and compiled.
    """
    return [[v.path, np.array(v.numpy())] for v in model._state("train")]


class SavedVariable(NamedTuple):
    """A variable in a backup.

    Attributes:
        path: The path of the variable.
        shape: Its shape.
        read: Returns the values at an index: slices, or `()` for all.
    """

    path: str
    shape: tuple[int, ...]
    read: Callable[[tuple[slice, ...]], np.ndarray]


def restore_state(state: dict[str, Any], model: Any, callbacks: list[Any], data: Any) -> None:
    """Sets the model, the callbacks and the data to a captured state.

    Args:
        state: The result of `capture_state`, and `variables`: a list of `SavedVariable`.
        model: The model, built and compiled in the same way.
        callbacks: The callbacks. Some may have been added or removed.
        data: The data adapter.

    Raises:
        SpecError: The state belongs to another model or other data. Nothing has changed then.
    """
    variables = model._state("train")
    saved: list[SavedVariable] = state["variables"]
    with agreement(f"{model._label}, fit"):
        _check_variables(model, [(v.path, v.shape) for v in variables], saved)
        handles = [_read_handle(v, s.read) for v, s in zip(variables, saved, strict=True)]
        data.set_state(state["data"])
    for variable, handle in zip(variables, handles, strict=True):
        variable._assign_handle(handle)
    # Callbacks are matched by class, in order: some may have been added or removed.
    remaining = list(state["callbacks"])
    for callback in callbacks:
        name = type(callback).__name__
        entry = next((entry for entry in remaining if entry[0] == name), None)
        if entry is not None:
            remaining.remove(entry)
            callback.set_state(entry[1])


def _check_variables(
    model: Any, ours: list[tuple[str, tuple[int, ...]]], saved: list[SavedVariable]
) -> None:
    if [shape for _, shape in ours] == [s.shape for s in saved]:
        return
    difference = next(
        (
            f"{p} of shape {a}, {s.path} of shape {s.shape} in the backup"
            for (p, a), s in zip(ours, saved, strict=False)
            if a != s.shape
        ),
        f"{len(ours)} variables, {len(saved)} in the backup",
    )
    raise SpecError(
        model._label,
        expected="the model and optimizer that the backup was made of",
        received=difference,
        fix="build and compile the model as it was, or use another folder",
    )


def _read_handle(variable: Any, read: Callable[[tuple[slice, ...]], np.ndarray]) -> Any:
    dtype = numpy_dtype(variable._dtype)
    return variable._read_handle(lambda index: read(index).astype(dtype, copy=False))


# ---------------------------------------------------------------- files


def encode_state(state: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """Returns nested plain values and arrays as values for JSON, and the arrays by name.

    Args:
        state: Values for which `is_serializable` is true.
    """
    arrays: dict[str, np.ndarray] = {}

    def store(x: np.ndarray) -> str:
        name = f"a{len(arrays)}"
        arrays[name] = np.ascontiguousarray(x).reshape(x.shape).view(_storage_dtype(x.dtype))
        return name

    def encode(x: Any) -> Any:
        if isinstance(x, np.generic):
            x = x.item()
        if isinstance(x, np.ndarray):
            return {"array": store(x), "dtype": str(x.dtype)}
        if isinstance(x, HostTensor):
            return {"tensor": encode(x.array)}
        if isinstance(x, bytes):
            return {"bytes": store(np.frombuffer(x, np.uint8))}
        if isinstance(x, int) and x.bit_length() > _JSON_BITS:
            return {"integer": hex(x)}
        if isinstance(x, Mapping):
            return {"pairs": [[encode(k), encode(v)] for k, v in x.items()]}
        if isinstance(x, tuple):
            return {"tuple": [encode(v) for v in x]}
        return [encode(v) for v in x] if isinstance(x, list) else x

    return encode(state), arrays


def decode_state(encoded: Any, fetch: Callable[[str], np.ndarray]) -> Any:
    """Returns what `encode_state` encoded.

    Args:
        encoded: The values for JSON.
        fetch: Returns an array by its name.
    """

    def decode(x: Any) -> Any:
        if isinstance(x, list):
            return [decode(v) for v in x]
        if not isinstance(x, dict):
            return x
        if "array" in x:
            return fetch(x["array"]).view(numpy_dtype(x["dtype"]))
        if "tensor" in x:
            return HostTensor(decode(x["tensor"]))
        if "bytes" in x:
            return fetch(x["bytes"]).tobytes()
        if "integer" in x:
            return int(x["integer"], 16)
        if "tuple" in x:
            return tuple(map(decode, x["tuple"]))
        return {decode(k): decode(v) for k, v in x["pairs"]}

    return decode(encoded)


def write_backup(path: Path, state: dict[str, Any]) -> None:
    """Writes a backup to a file, atomically.

    Args:
        path: The file. It is replaced if it exists.
        state: The result of `capture_state`, and that of `capture_variables` as `variables`.
    """
    encoded, arrays = encode_state(state)
    text = np.frombuffer(json.dumps(encoded).encode(), np.uint8)
    with atomic_write(path) as file:
        np.savez(file, state=text, **arrays)  # type: ignore[arg-type]


def read_backup(path: Path) -> dict[str, Any]:
    """Reads a file that `write_backup` wrote.

    Args:
        path: The file.

    Returns:
        The state, for `restore_state`.

    Raises:
        ValueError: The file is damaged, or not a backup of this format.
    """
    with backup_errors(path):
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            state = decode_state(json.loads(file["state"].tobytes()), file.__getitem__)
        check_format(path, state)
        state["variables"] = [
            SavedVariable(name, array.shape, array.__getitem__)
            for name, array in state.get("variables", ())
        ]
    return state


@contextmanager
def backup_errors(path: Path) -> Iterator[None]:
    """Context manager that converts errors of reading a damaged file.

    Args:
        path: The file or folder.
    """
    try:
        yield
    except KerasError:
        raise
    except _DAMAGE as error:
        raise _incomplete(path, f"{error}") from error


def _incomplete(path: Path, received: str) -> SpecError:
    return SpecError(
        f"{path} is not a complete backup of a run",
        expected="a file that BackupAndRestore wrote to the end",
        received=received,
        fix="delete it, to start the run anew",
    )


def check_run(path: Path, state: dict[str, Any]) -> None:
    """Raises an error unless a backup has what a run of `fit` goes on with.

    Args:
        path: The file or folder.
        state: What it holds.
    """
    position, callbacks = state.get("position"), state.get("callbacks")
    if (
        not isinstance(position, dict)
        or position.keys() != asdict(TrainingPosition()).keys()
        or not all(isinstance(position[key], int) and position[key] >= 0 for key in _COUNTS)
    ):
        raise _incomplete(path, "no position of the run")
    if not isinstance(callbacks, list) or not all(
        isinstance(entry, list) and len(entry) == 2 for entry in callbacks
    ):
        raise _incomplete(path, "no states of callbacks")
    if "data" not in state:
        raise _incomplete(path, "no position in the data")


def check_format(path: Path, state: Any) -> None:
    """Raises an error for a backup of another version.

    Args:
        path: The file or folder.
        state: What it holds.
    """
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise SpecError(
            f"{path} is not a backup of this version",
            expected=f"format {FORMAT}",
            received=f"{state.get('format') if isinstance(state, dict) else type(state).__name__}",
            fix="delete it, to start anew, or finish the run with the version that wrote it",
        )


def _storage_dtype(dtype: np.dtype) -> Any:
    """Returns a NumPy dtype of the same size; NumPy itself lacks bfloat16 and float8."""
    return dtype if dtype.kind in "biufc" else np.dtype(f"u{dtype.itemsize}")
