"""Writes the table of layers in docs/export.md: `python tests/export/generate_export_table.py`."""

from pathlib import Path

from layer_exports import CASES, FIXED_SIZES, ROUTES, UNSUPPORTED

PAGE = Path(__file__).parents[2] / "docs" / "export.md"
BEGIN, END = "<!-- begin: table of layers -->\n", "<!-- end: table of layers -->\n"


def render_table() -> str:
    """Returns the table: what all layers do in a row, each exception in one of its own."""
    titles = list(ROUTES)
    lines = [
        f"| Layer | {' | '.join(titles)} |",
        f"| --- |{' --- |' * len(titles)}",
    ]
    reasons: list[str] = []
    for name in sorted(CASES):
        cells = []
        for title in titles:
            reason = UNSUPPORTED[title].get(name)
            if reason is not None and reason not in reasons:
                reasons.append(reason)
            if reason is None:
                cells.append("fixed sizes" if name in FIXED_SIZES[title] else "yes")
            else:
                cells.append(f"no ({reasons.index(reason) + 1})")
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    notes = [f"{i}. {reason[0].upper()}{reason[1:]}." for i, reason in enumerate(reasons, 1)]
    counts = ", ".join(f"{title} {len(CASES) - len(UNSUPPORTED[title])}" for title in titles)
    return "\n".join(
        [f"Of {len(CASES)} layers: {counts}. No, because:", "", *notes, "", *lines, ""]
    )


def render_page(page: str) -> str:
    """Returns the page with a new table.

    Args:
        page: The page as it is.
    """
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{render_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(render_page(PAGE.read_text("utf-8")), "utf-8")
