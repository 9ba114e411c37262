"""Benchmarks keras_fn against native programs and real Keras: one backend, one process.

    KERAS_BACKEND=torch python integration_tests/benchmarks [--rounds 7] [--only mlp,forward]
    KERAS_BACKEND=torch python integration_tests/benchmarks --memory
    KERAS_BACKEND=torch python integration_tests/benchmarks --ops
    KERAS_BACKEND=torch python integration_tests/benchmarks --growth
    KERAS_BACKEND=torch python integration_tests/benchmarks --inference
    KERAS_BACKEND=torch python integration_tests/benchmarks --files 1000

Each time is the shortest of several alternating rounds, which a busy machine disturbs least. The
columns of Keras are left out if it is not installed. `--markdown FILE` also writes the table to a
page.
"""

import argparse
import compileall
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import files
import growth
import inference
import jobs
import memory
import tables
from tables import Row

FRAMEWORKS = {"jax": "jax.numpy", "torch": "torch", "tensorflow": "tensorflow"}
_Table = tuple[list[str], Iterable[list[str]]]  # headers, and rows that are measured lazily


def main() -> None:
    """Prints a table, and writes it to a page."""
    from rich.console import Console

    options = _options()
    if options.ops:
        title, (head, rows) = f"ops on {jobs.BACKEND}, us a call", _ops(options.rounds)
    elif options.growth:
        title, (head, rows) = f"depth on {jobs.BACKEND}", growth.rows()
    elif options.inference:
        title, (head, rows) = f"inference on {jobs.BACKEND}", _inference(options.rounds)
    elif options.files:
        title, (head, rows) = f"files on {jobs.BACKEND}", _files(options.rounds, options.files)
    elif options.memory:
        title, (head, rows) = f"memory on {jobs.BACKEND}", _memory()
    else:
        title, (head, rows) = f"speed on {jobs.BACKEND}", _speed(options.only, options.rounds)
    done = []
    for row in rows:
        done.append(row)
        if options.markdown:  # immediately: a run takes minutes, and may be interrupted
            tables.write(options.markdown, title, head, [row])
    Console(width=120).print(tables.make_rich_table(title, head, done))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help=f"of {','.join(jobs.JOBS)},import")
    parser.add_argument("--memory", action="store_true", help="memory instead of time")
    parser.add_argument("--ops", action="store_true", help="single ops instead of whole jobs")
    parser.add_argument("--growth", action="store_true", help="time by the depth of a graph")
    parser.add_argument("--inference", action="store_true", help="few samples, many calls")
    parser.add_argument("--files", type=int, nargs="?", const=100, metavar="MB", help="model files")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="a page for the table")
    options = parser.parse_args()
    options.only = options.only.split(",") if options.only else [*jobs.JOBS, "import"]
    if unknown := set(options.only) - {*jobs.JOBS, "import"}:
        parser.error(f"no job on {jobs.BACKEND}: {', '.join(sorted(unknown))}")
    return options


def _speed(names: list[str], rounds: int) -> _Table:
    sides = jobs.sides()
    measured = (_measured(name, sides, rounds) for name in names)
    return tables.column_names(list(sides)), map(tables.format_row, measured)


def _memory() -> _Table:
    sides = list(jobs.sides())
    measured = memory.rows(sides)
    rows = [tables.format_row(row, "MB") for row in measured]
    rows.insert(2, memory.growth(measured))
    return tables.column_names(sides), rows


def _inference(rounds: int) -> _Table:
    sides = jobs.sides()
    measured = inference.rows(sides, rounds)
    return tables.column_names(list(sides)), map(tables.format_row, measured)


def _files(rounds: int, megabytes: int) -> _Table:
    sides = jobs.sides()
    measured = files.rows(sides, rounds, megabytes)
    return tables.column_names(list(sides)), (tables.format_row(*row) for row in measured)


def _measured(name: str, sides: dict[str, Any], rounds: int) -> Row:
    if name == "import":
        return _imports(list(sides))
    job = jobs.JOBS[name]()
    return Row(job.title, jobs.measure(job, sides, rounds), f"{job.target:.2f}")


def _imports(sides: list[str]) -> Row:
    """Times the import of a library with its layers and models; native is the bare framework."""
    root = Path(__file__).parents[2]
    for folder in ("keras_fn", "backends"):  # as pip does
        compileall.compile_dir(root / folder, quiet=1)

    def seconds(code: str) -> float:
        timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
        runs = [
            subprocess.run(
                [sys.executable, "-c", timed], capture_output=True, text=True, check=True
            ).stdout
            for _ in range(5)
        ]
        return min(float(out.split()[-1]) for out in runs)

    programs = {
        "ours": "import keras_fn; keras_fn.Model",
        "native": f"import {FRAMEWORKS[jobs.BACKEND]}",
        "keras": "import keras; keras.Model",
    }
    values = {side: seconds(programs[side]) for side in sides}
    return Row("import with layers and models", values, "+0.1 s")


def _ops(rounds: int) -> _Table:
    """Returns the overhead of each class of ops above the native call."""
    import op_calls

    head = ["op", "ours", "native", "above", "compiled", "native", "above"]
    rows = []
    for row in op_calls.measure(jobs.BACKEND, rounds):
        eager, compiled = row.ours - row.native, row.compiled - row.native_compiled
        numbers = (row.ours, row.native, eager, row.compiled, row.native_compiled, compiled)
        rows.append([row.title, *(f"{n:.1f}" for n in numbers)])
    return head, rows


if __name__ == "__main__":
    main()
