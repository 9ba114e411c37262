"""What commands print: tables and fields, drawn by Rich in a terminal and plain in a pipe; JSON."""

import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_fn._lazy import LazyModule
from keras_fn.errors import KerasError
from keras_fn.saving.errors import sanitize_for_display

# Imported only where there is a terminal.
_console = LazyModule("rich.console")
_table = LazyModule("rich.table")
_text = LazyModule("rich.text")

SCHEMA = 1
"""The version of the JSON of all commands. It changes when a key is renamed or removed."""

_CELL_CHARACTERS = 1000
_STYLES = {"ok": "green", "fault": "bold red", "note": "yellow", "absent": "dim"}


@dataclass
class Fields:
    """A list of names and values.

    Attributes:
        title: Its title; "" for none.
        rows: The names and values. Those whose value is empty are left out.
    """

    title: str
    rows: Sequence[tuple[str, object]]


@dataclass
class Table:
    """A table of texts.

    Attributes:
        title: Its title; "" for none.
        columns: The titles of the columns.
        rows: The cells of each row.
        right: The columns that are aligned to the right.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Iterable[str] = field(default=())


Block = Fields | Table


def show(*blocks: Block) -> None:
    """Prints blocks: with colors and lines in a terminal, else as plain text.

    Args:
        *blocks: What to print. Empty blocks are left out.
    """
    shown = [block for block in blocks if block.rows]
    if sys.stdout.isatty():
        console = _console.Console(highlight=False)
        for i, block in enumerate(shown):
            console.print(*[""] * (i > 0), _draw(block), sep="\n")
        return
    print("\n\n".join("\n".join(_plain(block)) for block in shown))


def show_json(command: str, value: Mapping[str, Any]) -> None:
    """Prints the result of a command as one JSON object.

    Args:
        command: The name of the command.
        value: Its result.
    """
    print(json.dumps({"command": command, "schema": SCHEMA, **value}, indent=2, default=str))


def show_error(error: KerasError | Exception, as_json: bool = False) -> None:
    """Prints an error to standard error, in its four parts.

    Args:
        error: The error.
        as_json: Whether to print it as JSON.
    """
    if as_json:
        print(json.dumps({"schema": SCHEMA, "error": describe_error(error)}), file=sys.stderr)
    else:
        print(f"error: {error}", file=sys.stderr)


def describe_error(error: BaseException) -> dict[str, str]:
    """Returns the parts of an error.

    Args:
        error: The error.
    """
    if not isinstance(error, KerasError):
        return {"source": str(error), "expected": "", "received": "", "fix": ""}
    names = ("source", "expected", "received", "fix")
    return {name: str(getattr(error, name)) for name in names}


def format_bytes(count: int) -> str:
    """Returns a size with a unit.

    Example:
        >>> format_bytes(1536)
        '1.5 KiB'
    """
    size, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{count} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


def format_shape(shape: Sequence[int | None] | None) -> str:
    """Returns a shape as Python writes it, "" for None."""
    return "" if shape is None else str(tuple(shape))


def _draw(block: Block) -> Any:
    if isinstance(block, Fields):
        table = _table.Table.grid(padding=(0, 2))
        for name, value in _named_values(block):
            table.add_row(_text.Text(name, "bold"), _text.Text(value))
        if not block.title:
            return table
        return _console.Group(_text.Text(block.title, "bold underline"), table)
    title = _text.Text(block.title, "bold") if block.title else None
    table = _table.Table(title=title, title_justify="left", header_style="bold")
    for column in block.columns:
        justify = "right" if column in block.right else "left"
        table.add_column(column, justify=justify, overflow="fold")
    for row in block.rows:
        table.add_row(*(_text.Text(_clean(cell), _STYLES.get(cell, "")) for cell in row))
    return table


def _plain(block: Block) -> Iterable[str]:
    if block.title:
        yield block.title
    if isinstance(block, Fields):
        rows = _named_values(block)
        width = max((len(name) for name, _ in rows), default=0)
        yield from (f"{name:<{width}}  {value}" for name, value in rows)
        return
    rows = [list(block.columns), *([_clean(cell) for cell in row] for row in block.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(block.columns))]
    for row in rows:
        cells = (
            f"{cell:>{width}}" if column in block.right else f"{cell:<{width}}"
            for cell, width, column in zip(row, widths, block.columns, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _named_values(block: Fields) -> list[tuple[str, str]]:
    return [(_clean(name), _clean(str(value))) for name, value in block.rows if str(value)]


def _clean(text: str) -> str:
    """Returns text on one line: names in a file can contain terminal escapes."""
    return sanitize_for_display(text, _CELL_CHARACTERS)


def escape_unencodable() -> None:
    """Lets prints escape what the encoding of the terminal or the file does not have."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def silence() -> None:
    """Lets later prints go nowhere: the reader of a pipe has closed it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
