"""Tables in the terminal, and in a Markdown page between two HTML comments."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """The measurements of one job, by side."""

    title: str
    values: dict[str, float]
    target: str = ""  # upper bound of ours / native


def column_names(sides: Iterable[str]) -> list[str]:
    """Returns the headers of a table: native first, the baseline of the others."""
    named = _sorted(sides)
    return ["work", *named, *(f"{name} / native" for name in named[1:]), "target"]


def format_row(row: Row, sides: Iterable[str], unit: str = "s") -> list[str]:
    """Formats a row, for the headers that `column_names` returns for the same sides.

    Cells of a side that was not measured are empty.
    """
    native, known, named = row.values["native"], row.values, _sorted(sides)
    shown = [_quantity(known[name], unit) if name in known else "" for name in named]
    ratios = [f"{known[name] / native:.2f}" if name in known else "" for name in named[1:]]
    return [row.title, *shown, *ratios, row.target]


def _sorted(sides: Iterable[str]) -> list[str]:
    sides = set(sides)
    return [name for name in ("native", "ours", "keras") if name in sides]


def _quantity(value: float, unit: str) -> str:
    return format_seconds(value) if unit == "s" else f"{value:.0f} {unit}"


def make_rich_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """Returns a table for a rich console."""
    from rich.table import Table

    table = Table(title=title)
    for i, column in enumerate(head):
        table.add_column(column, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    return table


def write(page: Path, name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Writes a table into a page, between `<!-- name -->` and `<!-- /name -->`.

    Rows of the page that were not measured are kept if they have the same columns; the comments are
    appended to a page that does not have them.
    """
    text = page.read_text("utf-8") if page.exists() else ""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    if opening not in text:
        text += f"\n{opening}\n{closing}\n"
    found = re.search(f"{re.escape(opening)}\n(.*?){re.escape(closing)}", text, re.DOTALL)
    if found is None:
        raise ValueError(f"{page}: {opening} has no {closing} after it")
    first, *old = found[1].splitlines() or [""]
    kept = {_title(line): line for line in old[1:]} if first == _line(head) else {}
    kept |= {row[0]: _line(row) for row in rows}
    under = _line(["---", *["--:"] * (len(head) - 1)])
    table = "\n".join([_line(head), under, *kept.values()])
    page.write_text(f"{text[: found.start(1)]}{table}\n{text[found.end(1) :]}", "utf-8")


def _line(format_row: Sequence[str]) -> str:
    return f"| {' | '.join(format_row)} |"


def _title(line: str) -> str:
    return line.split("|")[1].strip()


def format_seconds(seconds: float) -> str:
    """Formats a time with three digits or so."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
