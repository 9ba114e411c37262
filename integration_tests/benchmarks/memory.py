"""Memory: growth by repeated building and training, and the peak of a training run.

Each number is measured in a separate process, which runs this file:

    python memory.py ours|native|keras cycles|mlp|resnet|ticket|transformer
"""

import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import jobs
from tables import Row

CYCLES, WARM_UP_CYCLES = 25, 3
PEAKS = ("mlp", "resnet", "ticket", "transformer")


def rows(sides: list[str], cycles: int = CYCLES, peaks: tuple[str, ...] = PEAKS) -> list[Row]:
    """Measures all rows, in MB."""
    grown = {side: _child(side, "cycles", cycles) for side in sides}
    table = [
        Row(f"resident after {n} cycles of build, fit, clear", {s: v[i] for s, v in grown.items()})
        for i, n in enumerate((WARM_UP_CYCLES, cycles))
    ]
    for name in peaks:
        values = {side: _child(side, name)[0] for side in sides}
        table.append(Row(f"peak, {jobs.FITS[name].title}", values, "1.10"))
    return table


def growth(rows: list[Row]) -> list[str]:
    """Returns the last row: the growth of each side between the two rows of cycles."""
    first, last = rows[0].values, rows[1].values
    sides = [side for side in ("native", "ours", "keras") if side in first]
    shown = [f"{100 * (last[s] / first[s] - 1):+.1f} %" for s in sides]
    return ["growth between them", *shown, *[""] * (len(sides) - 1), "5 %"]


def _child(side: str, work: str, *args: Any) -> list[float]:
    command = [sys.executable, __file__, side, work, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"memory of {side}, {work}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _cycles(side: str, cycles: str) -> list[float]:
    """Resident memory after the third and after the last cycle."""
    library, found = _library(side), []
    fit = jobs.FITS["mlp"]._replace(steps=20, epochs=1)
    for cycle in range(1, int(cycles) + 1):
        (fit.native if side == "native" else fit.keras)(library)()
        if side != "native":
            library.utils.clear_session()
        if cycle in (WARM_UP_CYCLES, int(cycles)):
            found.append(_resident())
    return found


def _peak(side: str, name: str) -> list[float]:
    """Peak memory of the process in two training runs."""
    fit = jobs.FITS[name]._replace(epochs=1)
    work = (fit.native if side == "native" else fit.keras)(_library(side))
    for _ in range(2):
        work()
    return [_peak_of_process()]


def _library(side: str) -> Any:
    # For a native program the framework alone, without keras_fn.
    names = {"ours": "keras_fn", "native": f"native_{jobs.BACKEND}", "keras": "keras"}
    return importlib.import_module(names[side])


def _resident() -> float:
    """Resident memory of the process in megabytes; the peak if only that is known."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return _peak_of_process()
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _peak_of_process() -> float:
    units = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units


if __name__ == "__main__":
    side, work, *args = sys.argv[1:]
    print(json.dumps(_cycles(side, *args) if work == "cycles" else _peak(side, work)))
