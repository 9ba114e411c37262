"""The whole state of a run of `fit`: one that was killed goes on as if it had not been."""

import copy
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.errors import SpecError
from keras_fn.saving.file_io import atomic_write

FORMAT = 2


@dataclass
class Position:
    """Where a run is."""

    epoch: int = 0
    step: int = 0  # steps of this epoch that are done
    stopped: bool = False  # whether a callback has ended the training
    logs: dict[str, Any] = field(default_factory=dict)  # what the last step showed


@dataclass(frozen=True)
class HostTensor:
    """A tensor of PyTorch in the state of data, as its random generators have them."""

    array: np.ndarray


def collect(model: Any, callbacks: list[Any], position: Position, data: Any) -> dict[str, Any]:
    """Returns all that the rest of a run depends on; it is a copy, on the host."""
    return {
        "format": FORMAT,
        "position": asdict(position),
        "variables": [[v.path, np.array(v.numpy())] for v in model._state("train")],
        "callbacks": [[type(c).__name__, copy.deepcopy(c.get_state())] for c in callbacks],
        "data": data.get_state(),
    }


def restore(state: dict[str, Any], model: Any, callbacks: list[Any], data: Any) -> None:
    """Sets the model, the callbacks and the data to a state.

    Raises:
        SpecError: The state is of another model or other data; nothing has changed then.
    """
    variables = model._state("train")
    saved = state["variables"]
    ours, theirs = ([(v.path, v.shape) for v in variables], [(p, a.shape) for p, a in saved])
    if [shape for _, shape in ours] != [shape for _, shape in theirs]:
        other = next(
            (
                f"{p} of shape {a}, {q} of shape {b} in the backup"
                for (p, a), (q, b) in zip(ours, theirs, strict=False)
                if a != b
            ),
            f"{len(ours)} variables, {len(theirs)} in the backup",
        )
        raise SpecError(
            model._place,
            expected="the model and optimizer that the backup was made of",
            received=other,
            fix="build and compile the model as it was, or use another folder",
        )
    data.set_state(state["data"])
    for variable, (_, value) in zip(variables, saved, strict=True):
        variable.assign(value)
    # One after the other of their kind: callbacks may have been added since, or left out.
    left = list(state["callbacks"])
    for callback in callbacks:
        found = next((entry for entry in left if entry[0] == type(callback).__name__), None)
        if found is not None:
            left.remove(found)
            callback.set_state(found[1])


# ---------------------------------------------------------------- files


def write(path: Path, state: Any) -> None:
    """Writes nested plain values and arrays to a file: whole, or not at all."""
    arrays: dict[str, np.ndarray] = {}

    def kept(x: np.ndarray) -> str:
        name = f"a{len(arrays)}"
        arrays[name] = np.ascontiguousarray(x).reshape(x.shape).view(_carrier(x.dtype))
        return name

    def plain(x: Any) -> Any:
        if isinstance(x, np.generic):
            x = x.item()
        if isinstance(x, np.ndarray):
            return {"array": kept(x), "dtype": str(x.dtype)}
        if isinstance(x, HostTensor):
            return {"tensor": plain(x.array)}
        if isinstance(x, bytes):
            return {"bytes": kept(np.frombuffer(x, np.uint8))}
        if isinstance(x, Mapping):
            return {"pairs": [[plain(k), plain(v)] for k, v in x.items()]}
        if isinstance(x, tuple):
            return {"tuple": [plain(v) for v in x]}
        return [plain(v) for v in x] if isinstance(x, list) else x

    text = json.dumps(plain(state)).encode()
    with atomic_write(path) as file:
        np.savez(file, state=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]


def read(path: Path) -> Any:
    """Reads what `write` wrote.

    Raises:
        ValueError: The file is damaged, or is no backup.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:

            def nested(x: Any) -> Any:
                if isinstance(x, list):
                    return [nested(v) for v in x]
                if not isinstance(x, dict):
                    return x
                if "array" in x:
                    return file[x["array"]].view(numpy_dtype(x["dtype"]))
                if "tensor" in x:
                    return HostTensor(nested(x["tensor"]))
                if "bytes" in x:
                    return file[x["bytes"]].tobytes()
                if "tuple" in x:
                    return tuple(map(nested, x["tuple"]))
                return {nested(k): nested(v) for k, v in x["pairs"]}

            state = nested(json.loads(file["state"].tobytes()))
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a complete backup of a run: {error}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path} is not a backup of this version: format {FORMAT} is read.")
    return state


def _carrier(dtype: np.dtype) -> Any:
    """A dtype of NumPy's own of the same size: bfloat16 and the 8-bit floats are none."""
    return dtype if dtype.kind in "biufc" else np.dtype(f"u{dtype.itemsize}")


def is_plain(x: Any) -> bool:
    """Whether `write` takes a value."""
    if isinstance(x, (list, tuple)):
        return all(map(is_plain, x))
    if isinstance(x, Mapping):
        return all(is_plain(k) and is_plain(v) for k, v in x.items())
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biufcV"
    return x is None or isinstance(x, (bool, int, float, str, bytes, np.generic, HostTensor))
