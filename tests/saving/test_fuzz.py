"""Mutated files of every format: documented errors, bounded time and memory, nothing else touched.

`python tests/saving/fuzz_worker.py FOLDER NUMBER 1` repeats one mutation.
"""

import collections
import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FEW, MANY = 500, 20_000
SECONDS = 120  # for a line of the worker: its start, or one file on a busy machine


def fuzz(folder: Path, first: int, count: int) -> tuple[list[str], collections.Counter[str]]:
    """Reads mutated files in another process.

    Args:
        folder: An empty folder.
        first: The number of the first mutation.
        count: How many.

    Returns:
        What is wrong, and the number of results of each kind.
    """
    faults, counts, end = [], collections.Counter(), first + count
    while first < end:  # again after a crash
        home = folder / str(first)
        home.mkdir()
        last, found, results = _run(home, first, end - first)
        faults += found
        counts += results
        if results:
            break
        faults.append(f"mutation {last}: the process crashed, or took more than {SECONDS} s")
        first = last + 1
        if len(faults) > 20:
            break
    return faults, counts


def _run(home: Path, first: int, count: int) -> tuple[int, list[str], collections.Counter[str]]:
    """Returns the last mutation that was begun, the faults, and the counts if it came to an end."""
    worker = Path(__file__).with_name("fuzz_worker.py")
    process = subprocess.Popen(
        [sys.executable, str(worker), str(home), str(first), str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        bufsize=1,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    last, faults, counts = first - 1, [], collections.Counter()
    assert process.stdout
    try:
        while select.select([process.stdout], [], [], SECONDS)[0]:
            line = process.stdout.readline()
            if not line:
                break
            if not line.startswith("{"):
                last = int(line)
                continue
            report = json.loads(line)
            counts.update(report.get("counts", {}))
            if "fault" in report:
                faults.append("mutation {number} ({format}): {fault}\n{trace}".format(**report))
    finally:
        process.kill()
        process.communicate()
    return last, faults, counts


def _check(folder: Path, first: int, count: int) -> None:
    faults, counts = fuzz(folder, first, count)
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:10]])
    assert sum(counts.values()) == count
    read = sum(n for result, n in counts.items() if result.endswith(": read"))
    assert 0.1 * count < read < 0.6 * count, f"the mutations are too rough, or too fine: {counts}"
    for result, n in sorted(counts.items()):
        print(f"{n:>7}  {result}")


def test_few_mutations(tmp_path):
    _check(tmp_path, 0, FEW)


@pytest.mark.thorough
def test_many_mutations(tmp_path):
    _check(tmp_path, FEW, MANY)
