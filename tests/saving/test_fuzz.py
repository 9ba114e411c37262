"""Mutated files of every format: documented errors, bounded time and memory, nothing else touched.

`python tests/saving/fuzz_worker.py FOLDER NUMBER 1` repeats one mutation.
"""

import collections
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
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
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    last, faults, counts = first - 1, [], collections.Counter()
    try:
        for line in _lines(process):
            if not line.startswith(b"{"):
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


def _lines(process: subprocess.Popen) -> Iterator[bytes]:
    """Yields what a process prints, until it ends or prints nothing for long."""
    assert process.stdout
    rest, descriptor = b"", process.stdout.fileno()
    while select.select([descriptor], [], [], SECONDS)[0]:
        if not (data := os.read(descriptor, 1 << 16)):
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from lines


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


EVIL = """
import subprocess, sys, tempfile, time
from pathlib import Path
from tests.saving import fuzz_worker
from tests.saving.fuzz_formats import Format, Sample

def imports(path, model, rng): import keras_fn_canary
def opens_another_file(path, model, rng): open(path.parent.parent / "secret_canary.h5").close()
def writes_another_file(path, model, rng): open(path.parent.parent / "new", "w").close()
def starts_a_program(path, model, rng): subprocess.run(["true"])
def raises_another_error(path, model, rng): raise KeyError("x")
def takes_long(path, model, rng):
    start = time.process_time()
    while time.process_time() - start < 0.1: pass
def leaves_a_file(path, model, rng): tempfile.mkstemp()
def reads(path, model, rng): path.read_bytes()

READERS = [reads, opens_another_file, writes_another_file, starts_a_program, raises_another_error,
           takes_long, leaves_a_file, imports]
fuzz_worker.SECONDS = 0.05
for i, reader in enumerate(READERS):
    active = []
    def read(path, model, rng, reader=reader, active=active):
        if active: reader(path, model, rng)
    sample = Sample({"a.bin": b"some bytes"})
    fuzz_worker.make_formats = lambda folder, read=read: {
        "evil": Format([sample], {"": lambda data, rng, other: data}, read, is_inspected=False)}
    home = Path(sys.argv[1]) / str(i)
    home.mkdir()
    fuzzer = fuzz_worker.Fuzzer(home)
    active.append(1)
    fault = fuzzer.run(0)
    fuzzer.guard.active = False
    print(reader.__name__, "|", fault and fault["fault"])
"""


def test_the_fuzzer_sees_what_a_reader_must_not_do(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", EVIL, str(tmp_path)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    seen = dict(line.split(" | ") for line in done.stdout.splitlines())
    said = {
        "reads": "None",
        "opens_another_file": "it touched",
        "writes_another_file": "it touched",
        "starts_a_program": "it touched",
        "raises_another_error": "an undocumented error",
        "takes_long": "it took",
        "leaves_a_file": "it left temporary files",
        "imports": "it ran code",
    }
    assert seen.keys() == said.keys(), done.stderr
    assert all(said[name] in fault for name, fault in seen.items()), seen
