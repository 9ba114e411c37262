"""Start-up: from the start of a process to the end of the first step of `fit`, time and memory.

Each number is measured in a process of its own, which runs this file:

    python startup.py ours|native|keras mlp|ticket|resnet|convolutions
"""

import importlib
import json
import sys
import time
from collections.abc import Iterator

import jobs
import memory
from tables import Row

# Of what Keras takes, where it is installed: what there was when the row was made.
TARGET = "0.67 of keras"
FITS = {
    "mlp": jobs.FITS["mlp"]._replace(title="guide MLP"),
    "ticket": jobs.FITS["ticket"]._replace(title="ticket model, 2 LSTM"),
    "resnet": jobs.FITS["resnet"]._replace(title="toy ResNet"),
    "convolutions": jobs.Fit("convolutions", "48 convolutions", 1.0, 1, 32, 1),
}


def rows(
    sides: list[str], rounds: int, names: list[str] | None = None
) -> Iterator[tuple[Row, str]]:
    """Measures all rows, each with the unit of its values: the least of some processes, in turns.

    Args:
        sides: The names of the sides.
        rounds: How many processes each side has.
        names: Keys of `FITS`. Default: all.
    """
    for name in names or FITS:
        runs = {side: [_child(side, name) for _ in range(rounds)] for side in sides}
        seconds = {side: min(s for s, _ in found) for side, found in runs.items()}
        megabytes = {side: min(m for _, m in found) for side, found in runs.items()}
        yield Row(f"start to the first step, {FITS[name].title}", seconds, TARGET), "s"
        yield Row(f"peak of it, {FITS[name].title}", megabytes, TARGET), "MB"


def _child(side: str, name: str) -> tuple[float, float]:
    """Returns the seconds from the start of a process to the end of its step, and its peak."""
    start = time.time()  # of the clock that processes share
    end, megabytes = memory.run_child(__file__, side, name)
    return end - start, megabytes


def _first_step(side: str, name: str) -> tuple[float, float]:
    fit = FITS[name]._replace(steps=1, epochs=1)
    programs = importlib.import_module(memory.MODULES[side])
    (fit.native if side == "native" else fit.keras)(programs)()
    return time.time(), memory.peak_of_process()


if __name__ == "__main__":
    print(json.dumps(_first_step(*sys.argv[1:])))
