"""Benchmarks keras_fn against native programs and real Keras: one backend, one process.

    KERAS_BACKEND=torch python integration_tests/benchmarks [--rounds 7] [--only mlp,forward]
    KERAS_BACKEND=torch python integration_tests/benchmarks --memory
    KERAS_BACKEND=torch python integration_tests/benchmarks --startup
    KERAS_BACKEND=torch python integration_tests/benchmarks --ops
    KERAS_BACKEND=torch python integration_tests/benchmarks --growth
    KERAS_BACKEND=torch python integration_tests/benchmarks --inference
    KERAS_BACKEND=torch python integration_tests/benchmarks --files 1000

Each time is the shortest of several alternating rounds, which a busy machine disturbs least. The
columns of Keras are left out if it is not installed. `--markdown FILE` also writes the tables to a
page.
"""

import argparse
import compileall
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import files
import growth
import inference
import jobs
import memory
import startup
import tables
from tables import Row

FRAMEWORKS = {"jax": "jax.numpy", "torch": "torch", "tensorflow": "tensorflow"}
_Table = tuple[list[str], Iterable[list[str]]]  # headers, and rows that are measured lazily


def main() -> None:
    """Prints the tables, and writes them to a page."""
    from rich.console import Console

    options = _options()
    for section in options.sections:
        title, (head, rows) = f"{section} on {jobs.BACKEND}", SECTIONS[section](options)
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
    for section, tables_of_it in FLAGS.items():
        parser.add_argument(
            f"--{section}", dest="sections", action="append_const", const=tables_of_it
        )
    parser.add_argument("--files", type=int, nargs="?", const=100, metavar="MB", help="model files")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="a page for the tables")
    options = parser.parse_args()
    chosen = [name for names in options.sections or () for name in names]
    chosen += ["files"] * (options.files is not None)
    options.sections = chosen or (PAGE if options.markdown and not options.only else ["speed"])
    options.only = options.only.split(",") if options.only else [*jobs.JOBS, "import"]
    if unknown := set(options.only) - {*jobs.JOBS, "import"}:
        parser.error(f"no job on {jobs.BACKEND}: {', '.join(sorted(unknown))}")
    return options


def _speed(options: argparse.Namespace) -> _Table:
    sides = jobs.sides()
    measured = (_measured(name, sides, options.rounds) for name in options.only)
    return tables.column_names(sides), (tables.format_row(row, sides) for row in measured)


def _inference(options: argparse.Namespace) -> _Table:
    sides = jobs.sides()
    measured = inference.rows(sides, options.rounds)
    return tables.column_names(sides), (tables.format_row(row, sides) for row in measured)


def _startup(options: argparse.Namespace) -> _Table:
    sides = list(jobs.sides())
    _compile_packages()
    measured = startup.rows(sides, min(3, options.rounds))
    return tables.column_names(sides), (tables.format_row(r, sides, unit) for r, unit in measured)


def _memory(options: argparse.Namespace) -> _Table:
    del options
    sides = list(jobs.sides())
    measured = memory.rows(sides)
    rows = [tables.format_row(row, sides, "MB") for row in measured]
    rows.insert(2, memory.growth(measured))
    return tables.column_names(sides), rows


def _growth(kind: str, options: argparse.Namespace) -> _Table:
    del options
    return growth.head(kind), growth.rows(kind)


def _files(options: argparse.Namespace) -> _Table:
    sides = jobs.sides()
    measured = files.rows(sides, options.rounds, options.files)
    return tables.column_names(sides), (tables.format_row(r, sides, unit) for r, unit in measured)


def _measured(name: str, sides: dict[str, Any], rounds: int) -> Row:
    if name == "import":
        return _imports(list(sides))
    job = jobs.JOBS[name]()
    return Row(job.title, jobs.measure(job, sides, rounds), f"{job.target:.2f}")


def _imports(sides: list[str]) -> Row:
    """Times the import of a library with its layers and models; native is the bare framework."""
    _compile_packages()

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


def _compile_packages() -> None:
    """Compiles our packages to bytecode, as pip does."""
    root = Path(__file__).parents[2]
    for folder in ("keras_fn", "backends"):
        compileall.compile_dir(root / folder, quiet=1)


def _ops(options: argparse.Namespace) -> _Table:
    """Returns the overhead of each class of ops above the native call."""
    import op_calls

    head = ["op", "ours", "native", "above", "compiled", "native", "above"]
    rows = []
    for row in op_calls.measure(jobs.BACKEND, options.rounds):
        eager, compiled = row.ours - row.native, row.compiled - row.native_compiled
        numbers = (row.ours, row.native, eager, row.compiled, row.native_compiled, compiled)
        rows.append([row.title, *(f"{n:.1f}" for n in numbers)])
    return head, rows


SECTIONS: dict[str, Callable[[argparse.Namespace], _Table]] = {
    "speed": _speed,
    "memory": _memory,
    "startup": _startup,
    "inference": _inference,
    "depth": partial(_growth, "depth"),
    "batch": partial(_growth, "batch"),
    "ops": _ops,
    "files": _files,
}
PAGE = ["speed", "memory", "startup", "inference", "depth", "batch"]  # what a page shows
FLAGS = {
    **{name: [name] for name in ("speed", "memory", "startup", "inference", "ops")},
    "growth": ["depth", "batch"],
}

if __name__ == "__main__":
    main()
