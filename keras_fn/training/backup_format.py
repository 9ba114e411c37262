"""Backups of a run of `fit`: capturing, restoring, and a file format of plain data and arrays."""

import copy
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.host_state import HostTensor
from keras_fn.errors import SpecError
from keras_fn.saving.file_io import atomic_write

FORMAT = 2


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


def capture_state(
    model: Any, callbacks: list[Any], position: TrainingPosition, data: Any
) -> dict[str, Any]:
    """Returns a host copy of everything that the rest of a run depends on.

    Args:
        model: The model, built and compiled.
        callbacks: The callbacks.
        position: The position of the run.
        data: The data adapter.
    """
    return {
        "format": FORMAT,
        "position": asdict(position),
        "variables": [[v.path, np.array(v.numpy())] for v in model._state("train")],
        "callbacks": [[type(c).__name__, copy.deepcopy(c.get_state())] for c in callbacks],
        "data": data.get_state(),
    }


def restore_state(state: dict[str, Any], model: Any, callbacks: list[Any], data: Any) -> None:
    """Sets the model, the callbacks and the data to a captured state.

    Args:
        state: The result of `capture_state`.
        model: The model, built and compiled in the same way.
        callbacks: The callbacks. Some may have been added or removed.
        data: The data adapter.

    Raises:
        SpecError: The state belongs to another model or other data. Nothing has changed then.
    """
    variables = model._state("train")
    saved = state["variables"]
    ours, theirs = ([(v.path, v.shape) for v in variables], [(p, a.shape) for p, a in saved])
    if [shape for _, shape in ours] != [shape for _, shape in theirs]:
        difference = next(
            (
                f"{p} of shape {a}, {q} of shape {b} in the backup"
                for (p, a), (q, b) in zip(ours, theirs, strict=False)
                if a != b
            ),
            f"{len(ours)} variables, {len(theirs)} in the backup",
        )
        raise SpecError(
            model._label,
            expected="the model and optimizer that the backup was made of",
            received=difference,
            fix="build and compile the model as it was, or use another folder",
        )
    data.set_state(state["data"])
    for variable, (_, value) in zip(variables, saved, strict=True):
        variable.assign(value)
    # Callbacks are matched by class, in order: some may have been added or removed.
    remaining = list(state["callbacks"])
    for callback in callbacks:
        name = type(callback).__name__
        entry = next((entry for entry in remaining if entry[0] == name), None)
        if entry is not None:
            remaining.remove(entry)
            callback.set_state(entry[1])


# ---------------------------------------------------------------- files


def write_backup(path: Path, state: Any) -> None:
    """Writes nested plain values and arrays to a file, atomically.

    Args:
        path: The file. It is replaced if it exists.
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
        if isinstance(x, Mapping):
            return {"pairs": [[encode(k), encode(v)] for k, v in x.items()]}
        if isinstance(x, tuple):
            return {"tuple": [encode(v) for v in x]}
        return [encode(v) for v in x] if isinstance(x, list) else x

    text = json.dumps(encode(state)).encode()
    with atomic_write(path) as file:
        np.savez(file, state=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]


def read_backup(path: Path) -> Any:
    """Reads a file that `write_backup` wrote.

    Args:
        path: The file.

    Returns:
        The state.

    Raises:
        ValueError: The file is damaged, or not a backup of this format.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:

            def decode(x: Any) -> Any:
                if isinstance(x, list):
                    return [decode(v) for v in x]
                if not isinstance(x, dict):
                    return x
                if "array" in x:
                    return file[x["array"]].view(numpy_dtype(x["dtype"]))
                if "tensor" in x:
                    return HostTensor(decode(x["tensor"]))
                if "bytes" in x:
                    return file[x["bytes"]].tobytes()
                if "tuple" in x:
                    return tuple(map(decode, x["tuple"]))
                return {decode(k): decode(v) for k, v in x["pairs"]}

            state = decode(json.loads(file["state"].tobytes()))
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SpecError(
            f"{path} is not a complete backup of a run",
            expected="a file that BackupAndRestore wrote to the end",
            received=f"{error}",
            fix="delete it, to start the run anew",
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise SpecError(
            f"{path} is not a backup of this version",
            expected=f"format {FORMAT}",
            received=f"{state.get('format') if isinstance(state, dict) else type(state).__name__}",
            fix="delete it, to start anew, or finish the run with the version that wrote it",
        )
    return state


def _storage_dtype(dtype: np.dtype) -> Any:
    """Returns a NumPy dtype of the same size; NumPy itself lacks bfloat16 and float8."""
    return dtype if dtype.kind in "biufc" else np.dtype(f"u{dtype.itemsize}")
