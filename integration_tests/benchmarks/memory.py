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
# For a native program the framework alone, without keras_fn.
MODULES = {"ours": "keras_fn", "native": f"native_{jobs.BACKEND}", "keras": "keras"}
PEAKS = ("mlp", "resnet", "ticket", "transformer")


def rows(sides: list[str], cycles: int = CYCLES, peaks: tuple[str, ...] = PEAKS) -> list[Row]:
    """Measures all rows, in MB."""
    grown = {side: run_child(__file__, side, "cycles", cycles) for side in sides}
    table = [
        Row(f"resident after {n} cycles of build, fit, clear", {s: v[i] for s, v in grown.items()})
        for i, n in enumerate((WARM_UP_CYCLES, cycles))
    ]
    for name in peaks:
        values = {side: run_child(__file__, side, name)[0] for side in sides}
        table.append(Row(f"peak, {jobs.FITS[name].title}", values, "1.10"))
    return table


def growth(rows: list[Row]) -> list[str]:
    """Returns the last row: the growth of each side between the two rows of cycles."""
    first, last = rows[0].values, rows[1].values
    sides = [side for side in ("native", "ours", "keras") if side in first]
    shown = [f"{100 * (last[s] / first[s] - 1):+.1f} %" for s in sides]
    return ["growth between them", *shown, *[""] * (len(sides) - 1), "5 %"]


def run_child(file: str, *args: Any) -> Any:
    """Runs a program in a process of its own.

    Args:
        file: The file.
        *args: Its arguments.

    Returns:
        What it printed last, as JSON.
    """
    command = [sys.executable, file, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
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
            found.append(resident())
    return found


def _peak(side: str, name: str) -> list[float]:
    """Peak memory of the process in two training runs."""
    fit = jobs.FITS[name]._replace(epochs=1)
    work = (fit.native if side == "native" else fit.keras)(_library(side))
    for _ in range(2):
        work()
    return [peak_of_process()]


def _library(side: str) -> Any:
    return importlib.import_module(MODULES[side])


def resident() -> float:
    """Returns the resident memory of the process in megabytes; the peak if only that is known."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return peak_of_process()
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak_of_process() -> float:
    """Returns the highest resident memory of the process so far, in megabytes."""
    units = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units


if __name__ == "__main__":
    side, work, *args = sys.argv[1:]
    print(json.dumps(_cycles(side, *args) if work == "cycles" else _peak(side, work)))
