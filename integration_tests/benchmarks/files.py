"""Files: time and peak memory of saving and loading, next to plain h5py, safetensors and Keras.

Native is the library that writes the format: h5py, with one dataset an array, or safetensors. It
writes over its file and does not sync it. A save of ours is a new file that is synced and then
renamed, so that each save has a second row, in which native does the same. safetensors maps a file
into memory and reads nothing, so that its load is measured with a copy of the arrays, as
`safetensors.torch.load_model` makes one.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jobs
import numpy as np
from tables import Row

COUNT = 48  # arrays
MEGABYTE = 10**6
_STATUS, _RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")  # of Linux


class Format(NamedTuple):
    """A format: the ending of its files, and the functions that save and load."""

    suffix: str
    save: Callable[[Any, Path], Any]
    load: Callable[[Any, Any, Path], Any]
    native: str
    target: float


def _save_weights(model: Any, path: Path) -> None:
    model.save_weights(path)


def _load_weights(keras: Any, model: Any, path: Path) -> None:
    del keras
    model.load_weights(path)


FORMATS = {
    f.suffix: f
    for f in (
        Format(
            ".keras",
            lambda model, path: model.save(path),
            lambda keras, model, path: keras.saving.load_model(path),
            "h5py",
            1.3,
        ),
        Format(
            ".weights.h5",
            _save_weights,
            _load_weights,
            "h5py",
            1.3,
        ),
        Format(
            ".safetensors",
            _save_weights,
            _load_weights,
            "safetensors",
            1.2,
        ),
    )
}


class _Synced:
    """The native program, which syncs and renames a new file when it saves."""

    __name__ = "synced"


def rows(sides: dict[str, Any], rounds: int, megabytes: int) -> Iterator[tuple[Row, str]]:
    """Measures all rows, each with the unit of its values."""
    width = round((megabytes * MEGABYTE / 4 / COUNT) ** 0.5)
    with tempfile.TemporaryDirectory() as folder:
        for file_format in FORMATS.values():
            if importlib.util.find_spec(file_format.native):
                for work in ("save", "load"):
                    known = {s: sides[s] for s in sides if _has(s, file_format)}
                    timed = _time(known, rounds, file_format, work, width, Path(folder))
                    yield from ((row, "s") for row in timed)
                    yield _peak(known, file_format, work, width, folder), "MB"


def _time(
    sides: dict[str, Any], rounds: int, file_format: Format, work: str, width: int, folder: Path
) -> Iterator[Row]:
    make = partial(_work, file_format, work, width, folder)
    title = f"{work} {file_format.suffix}, {_size(width)} ({file_format.native})"
    job = jobs.Job(title, file_format.target, keras=make, native=make)
    if work == "save":
        sides = {**sides, "synced": _Synced()}
    measured, target = jobs.measure(job, sides, rounds, warm_up=1), f"{file_format.target:.2f}"
    synced = measured.pop("synced", None)
    yield Row(title, measured, target)
    if synced is not None:
        yield Row(f"{title}, synced and renamed", {**measured, "native": synced}, target)


def _peak(sides: dict[str, Any], file_format: Format, work: str, width: int, folder: str) -> Row:
    """Measures how much memory a first save or load needs, next to the size of the arrays.

    Each runs in a process of its own, which runs this file.
    """
    values = {"native": _bytes(width) / MEGABYTE}
    for side in sides.keys() - {"native"}:
        command = [sys.executable, __file__, side, file_format.suffix, work, str(width), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{work} {file_format.suffix} by {side}: {done.stderr[-2000:]}")
        values[side] = float(done.stdout.split()[-1])
    return Row(f"memory to {work} {file_format.suffix}, of that of the arrays", values, "1.10")


def _main(side: str, suffix: str, work: str, width: str, folder: str) -> None:
    """Prints the peak of the resident memory, in MB above that before."""
    library = jobs.sides()[side]
    run = _work(FORMATS[suffix], work, int(width), Path(folder), library)
    _work(FORMATS[suffix], work, 8, Path(tempfile.mkdtemp(dir=folder)), library)()  # imports
    _RESET_PEAK.write_text("5")
    before = _memory("VmRSS")
    run()
    print(_memory("VmHWM") - before)


def _work(
    file_format: Format, work: str, width: int, folder: Path, library: Any
) -> Callable[[], Any]:
    """Returns the function that saves or loads `COUNT` arrays of `width` squared floats."""
    path = folder / f"{library.__name__}{file_format.suffix}"
    if not hasattr(library, "Model"):
        arrays = {f"layer_{i}": _array(width) for i in range(COUNT)}
        save, load = _NATIVE[file_format.native]
        if work == "load":
            save(arrays, path)
        if isinstance(library, _Synced):
            save = partial(_save_synced, save)
        return partial(save, arrays, path) if work == "save" else partial(load, path)
    model = _model(library, width)
    if work == "load":
        file_format.save(model, path)
        return lambda: file_format.load(library, model, path)
    return lambda: file_format.save(model, path)


def _model(keras: Any, width: int) -> Any:
    x = inputs = keras.Input((width,))
    for _ in range(COUNT):
        x = keras.layers.Dense(width, use_bias=False)(x)
    model = keras.Model(inputs, x)
    for weight in model.weights:
        weight.assign(_array(width))
    return model


def _array(width: int) -> np.ndarray:
    return np.random.default_rng(0).random((width, width), "float32")


def _save_synced(save: Callable[..., None], arrays: dict[str, np.ndarray], path: Path) -> None:
    new = path.with_suffix(".tmp")
    save(arrays, new)
    with open(new, "rb") as file:
        os.fsync(file.fileno())
    os.replace(new, path)


def _save_h5py(arrays: dict[str, np.ndarray], path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)


def _load_h5py(path: Path) -> list[np.ndarray]:
    import h5py

    with h5py.File(path) as file:
        return [file[name][()] for name in file]


def _save_safetensors(arrays: dict[str, np.ndarray], path: Path) -> None:
    from safetensors.numpy import save_file

    save_file(arrays, path)


def _load_safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return {name: array.copy() for name, array in load_file(path).items()}


_NATIVE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "h5py": (_save_h5py, _load_h5py),
    "safetensors": (_save_safetensors, _load_safetensors),
}


def _has(side: str, file_format: Format) -> bool:
    return side != "keras" or file_format.native == "h5py"


def _size(width: int) -> str:
    return f"{_bytes(width) / MEGABYTE:.0f} MB"


def _bytes(width: int) -> int:
    return COUNT * width**2 * 4


def _memory(field: str) -> float:
    """Returns a field of the status of this process, in MB."""
    line = next(s for s in _STATUS.read_text().splitlines() if s.startswith(field))
    return int(line.split()[1]) * 1024 / MEGABYTE


if __name__ == "__main__":
    _main(*sys.argv[1:])
