"""A run that is killed many times, at any moment, ends with the bits of one that never was."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "resume" / "program.py"
STEPS = 12 * 10  # batches of 160 samples that are trained on


def start(folder: Path, *kill: object) -> int:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, PROGRAM, folder, *map(str, kill)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.parametrize("times", [4, pytest.param(20, marks=pytest.mark.thorough)])
def test_a_run_that_is_killed_many_times(times: int, tmp_path: Path):
    random = np.random.default_rng(7)
    steps = np.sort(random.choice(np.arange(3, STEPS), times, replace=False))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole) == 0
    kills = 0
    for step in steps:
        kills += start(killed, step, random.uniform(0, 0.01)) == -signal.SIGKILL
    assert kills >= times - 2  # what comes in the last moments finds the run at its end
    assert start(killed) == 0
    a, b = np.load(whole / "end.npz"), np.load(killed / "end.npz")
    assert sorted(a) == sorted(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert (whole / "log.csv").read_text() == (killed / "log.csv").read_text()
    assert not (killed / "backup").exists()
