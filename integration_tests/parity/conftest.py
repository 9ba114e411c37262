"""Prints what a comparison with real Keras counted."""

from collections import Counter
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Counts what tests recorded, and lists the names that examples wait for."""
    reports = [
        report
        for group in terminalreporter.stats.values()
        for report in group
        if getattr(report, "when", "") in ("call", "setup")
    ]
    for subject in ("docstring example", "file", "habit", "layer", "missing name"):
        counts = Counter(
            value for report in reports for key, value in report.user_properties if key == subject
        )
        if counts:
            listed = ", ".join(f"{value} {count}" for value, count in counts.most_common())
            terminalreporter.write_line(f"{subject}s ({counts.total()}): {listed}")
