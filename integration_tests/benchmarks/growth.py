"""How time and memory grow with the depth of a graph, and with the size of a batch.

The times are of the CPU, so that they hold on a machine that does other work too. Memory is what a
part adds at its peak to what was resident before. Each size is measured in a process of its own,
which runs this file:

    python growth.py depth|batch 400
"""

import gc
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import memory
import numpy as np
from tables import format_seconds

SIZES = {"depth": (100, 400, 1600), "batch": (1, 16, 256, 4096)}
TITLES = {"depth": "Dense layers in a row", "batch": "samples in a batch of the guide MLP"}
TARGET = "1.10"
_WIDTH, _STEPS = 8, 8
_MIN_MEGABYTES = 8  # what is less comes in pages and pools, and has no exponent
_STATUS, _RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")  # of Linux
Measured = dict[str, tuple[float, float]]  # seconds and megabytes, by the name of the part


def head(kind: str, sizes: tuple[int, ...] | None = None) -> list[str]:
    """Returns the head of a table: `"depth"` or `"batch"`."""
    return [TITLES[kind], *(f"{size:,}" for size in sizes or SIZES[kind]), "exponent", "target"]


def rows(kind: str, sizes: tuple[int, ...] | None = None) -> Iterator[list[str]]:
    """Measures the rows of a table: seconds and megabytes at each size, and the exponent.

    The exponent is that of the power of the size with which they grow between the last two sizes.
    """
    sizes = sizes or SIZES[kind]
    columns = [memory.run_child(__file__, kind, size) for size in sizes]
    for name in columns[0]:
        seconds, megabytes = zip(*(column[name] for column in columns), strict=True)
        shown = [format_seconds(s) for s in seconds]
        yield [name, *shown, _exponent(sizes, seconds, 1e-4), TARGET]
        shown = [f"{m:.1f} MB" for m in megabytes]
        yield [f"{name}, memory", *shown, _exponent(sizes, megabytes, _MIN_MEGABYTES), TARGET]


def _exponent(sizes: tuple[int, ...], values: tuple[float, ...], least: float) -> str:
    if min(values[-2:]) < least:
        return ""
    return f"{math.log(values[-1] / values[-2]) / math.log(sizes[-1] / sizes[-2]):.2f}"


class _Parts:
    """The parts of a program, each measured once."""

    def __init__(self) -> None:
        self.found: Measured = {}

    def run(self, name: str, function: Callable[[], Any], times: int = 1) -> Any:
        """Calls a function some times, and notes the least time and the memory of the first."""
        seconds, megabytes, result = math.inf, 0.0, None
        gc.collect()  # else the garbage of one part is collected in another
        for k in range(times):
            before = memory.resident()
            if _RESET_PEAK.exists():
                _RESET_PEAK.write_text("5")
            start = time.process_time()
            result = function()
            seconds = min(seconds, time.process_time() - start)
            megabytes = megabytes if k else max(0.0, _peak() - before)
        self.found[name] = (seconds, megabytes)
        return result


def measure_depth(depth: int) -> Measured:
    """Returns the time and memory of each part of the life of a model of so many layers."""
    import keras_fn as keras

    x = np.full((4, _WIDTH), 0.01, "float32")
    parts = _Parts()
    model = parts.run("build", lambda: _chain(keras, depth))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        parts.run("save", lambda: model.save(path))
        model = parts.run("load", lambda: keras.saving.load_model(path))
    parts.run("first predict", lambda: model.predict(x, verbose=0))
    parts.run("warm predict", lambda: model.predict(x, verbose=0), 5)
    model.compile("sgd", "mse")
    parts.run("first step of fit", lambda: model.fit(x, x, batch_size=4, verbose=0))
    parts.run("warm step of fit", lambda: model.fit(x, x, batch_size=4, verbose=0), 5)
    return parts.found


def measure_batch(size: int) -> Measured:
    """Returns the time and memory of some steps of fit with batches of so many samples."""
    import models

    import keras_fn as keras

    x, y = models.mlp_data(_STEPS * size)
    model, parts = models.mlp(keras), _Parts()
    fit = partial(model.fit, x, y, batch_size=size, verbose=0)
    predict = partial(model.predict, x, batch_size=size, verbose=0)
    for name, work in (
        (f"{_STEPS} warm steps of fit", fit),
        (f"predict {_STEPS} batches", predict),
    ):
        work()
        parts.run(name, work, 5)
    return parts.found


def _chain(keras: Any, depth: int) -> Any:
    x = inputs = keras.Input((_WIDTH,))
    for _ in range(depth):
        x = keras.layers.Dense(_WIDTH)(x)
    return keras.Model(inputs, x)


def _peak() -> float:
    """Returns the peak of the resident memory since it was reset, in megabytes."""
    if not _STATUS.exists():
        return memory.peak_of_process()
    line = next(s for s in _STATUS.read_text().splitlines() if s.startswith("VmHWM"))
    return int(line.split()[1]) / 2**10


def _warm_up() -> None:
    """Imports what each process needs once, and compiles what all models share."""
    measure_depth(4)


if __name__ == "__main__":
    _warm_up()
    measures = {"depth": measure_depth, "batch": measure_batch}
    print(json.dumps(measures[sys.argv[1]](int(sys.argv[2]))))
