"""Runs the Python blocks of README.md and docs/, so that what they show is true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```python[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^[ \t]*```[ \t]*(python\S*|py)\b[^\n]*$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_blocks_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    text = page.read_text("utf-8")
    namespace = {"__name__": "__main__"}
    for block in _BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))
        # The empty lines make a traceback point to the line of the page.
        exec(compile("\n" * lines_before + block[1], str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_python_block_is_spared(page):
    fences = [fence[0].strip() for fence in _FENCE.finditer(page.read_text("utf-8"))]
    assert set(fences) <= {"```python"}, "write ```python alone, or no language for a mere sketch"


def test_there_is_something_to_run():
    assert any(_BLOCK.search(page.read_text("utf-8")) for page in PAGES)
