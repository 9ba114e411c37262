"""The programs of the documents, and how a test runs them."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass
class Run:
    """A program that ran: what it defined, and what each of its cells printed."""

    names: dict[str, Any] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    snapshots: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(self.printed)


def run(name: str, watch: Callable[[str, Run], None] | None = None, **names: Any) -> Run:
    """Runs a program, cell by cell in one namespace, as a notebook would.

    Args:
        name: Its file, without the ending.
        watch: Called after each cell with its source.
        **names: Modules that its import lines may name besides.
    """
    done = Run()
    done.names.update(__name__="__main__")
    with _importable(names):
        for cell in cells(name):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(cell, f"{name}.py", "exec"), done.names)
            done.printed.append(out.getvalue())
            if watch is not None:
                watch(cell, done)
    return done


def cells(name: str) -> list[str]:
    """Returns the cells of a program."""
    return (FOLDER / f"{name}.py").read_text("utf-8").split("# %%\n")[1:]


@contextlib.contextmanager
def _importable(names: dict[str, Any]) -> Iterator[None]:
    import sys

    sys.modules.update(names)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def tables(text: str) -> list[list[list[str]]]:
    """Returns the tables of summaries: for each its rows, for each row its columns."""
    found: list[list[list[str]]] = []
    for line in text.splitlines():
        if line.startswith("┏"):
            found.append([])
        elif line.startswith("│"):
            columns = [part.strip() for part in line.strip("│").split("│")]
            if columns[2]:
                found[-1].append(columns)
            elif found[-1]:  # a name that went over two lines
                last = found[-1][-1]
                found[-1][-1] = [f"{a} {b}".strip() for a, b in zip(last, columns, strict=True)]
    return found


def rows(table: list[list[str]]) -> list[tuple[str, ...]]:
    """Returns the rows of a table without the numbers that automatic names end in."""
    return [tuple(_plain(column) for column in row) for row in table]


def _plain(column: str) -> str:
    column = re.sub(r"_\d+(?=[ \[,]|$)", "", column.replace("…", ""))
    return re.sub(r"\s+", " ", column)


def old_tables(text: str) -> list[list[tuple[str, str, int]]]:
    """Returns the tables of Keras 2: for each its rows, as class, shape and parameters.

    Class names are cut where Keras 2 cut them.
    """
    found: list[list[tuple[str, str, int]]] = []
    for line in text.splitlines():
        if line.strip().startswith("Layer (type)"):
            found.append([])
        row = re.match(r"\s*\w+ \((\w+)\)? +\[?(\(None[^)]*\))\]? +(\d+)", line)
        if row:
            found[-1].append((row[1], row[2], int(row[3])))
    return found


def totals(text: str) -> list[tuple[str, str]]:
    """Returns `(total, trainable)` of each summary, as printed."""
    total = re.findall(r"^ ?Total params: ([\d,]+ \([^)]*\))", text, re.M)
    trainable = re.findall(r"^ ?Trainable params: ([\d,]+ \([^)]*\))", text, re.M)
    return list(zip(total, trainable, strict=True))
