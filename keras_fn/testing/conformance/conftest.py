"""Terminal summary of a conformance run: per op, the tests passed, failed and unsupported."""

import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from keras_fn.backend.loader import current

_COLUMNS = ("passed", "failed", "unsupported")


def pytest_runtest_logreport(report: Any) -> None:
    """Counts the outcome of a test under the name of its op."""
    op = dict(report.user_properties).get("op")
    if op is None or (report.when != "call" and report.outcome == "passed"):
        return
    outcome = report.outcome
    if outcome == "skipped":
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith("unsupported: "):
            return
        outcome = "unsupported"
        _reasons[op].add(reason.removeprefix("unsupported: "))
    _counts[op][outcome] += 1


_counts: dict[str, Counter[str]] = defaultdict(Counter)
_reasons: dict[str, set[str]] = defaultdict(set)


@pytest.fixture(autouse=True)
def _record_op(request: pytest.FixtureRequest, record_property: Any) -> None:
    """Records the op that a test is about."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    row = parameters.get("case") or parameters.get("row")
    if row is not None:
        record_property("op", row.op)


_test_count = itertools.count(1)


@pytest.fixture(autouse=True)
def _clear_compilation_caches() -> Iterator[None]:
    """Clears the caches of JAX, which would reach gigabytes over thousands of drawn calls."""
    yield
    if next(_test_count) % 200 == 0 and "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the table: ops with failures or gaps by name, and the totals."""
    if not _counts:
        return
    write = terminalreporter.write_line
    terminalreporter.section(f"conformance of {current().name}")
    shown = _counts
    if terminalreporter.verbosity <= 0:
        shown = {op: n for op, n in _counts.items() if n["failed"] or n["unsupported"]}
    write(f"{'op':<32}" + "".join(f"{c:>12}" for c in _COLUMNS))
    for op, count in sorted(shown.items()):
        row = f"{op:<32}" + "".join(f"{count[c]:>12}" for c in _COLUMNS)
        write(f"{row}  {'; '.join(sorted(_reasons[op]))}".rstrip())
    total: Counter[str] = sum(_counts.values(), Counter())
    write(f"{f'{len(_counts)} ops':<32}" + "".join(f"{total[c]:>12}" for c in _COLUMNS))
