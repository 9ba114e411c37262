"""Runs programs of tests/distribution on virtual devices, each in a process, with a limit."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keras_fn.backend import backend

HELPERS = Path(__file__).parent
HERE = HELPERS.parent / "distribution"
ROOT = HELPERS.parent.parent
LIMIT = 240  # seconds, on a busy machine


def thorough_on_tensorflow(test: Any) -> Any:
    """Marks a test of what the backends share: it starts TensorFlow in each process."""
    return pytest.mark.thorough(test) if backend() == "tensorflow" else test


def run(arguments: list[str], devices: int, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with so many virtual devices, and returns what it has printed.

    Args:
        arguments: Of Python.
        devices: Number of virtual devices of a process.
        **environment: Further environment variables.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    return subprocess.run(
        [sys.executable, *arguments],
        env={
            **os.environ,
            "XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count={devices}".strip(),
            "JAX_PLATFORMS": "cpu",
            **environment,
        },
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        timeout=LIMIT,
    )


def launched(processes: int, arguments: list[str], *options: str) -> list[str]:
    """Returns the arguments of Python that start a program in several processes."""
    return ["-m", "keras_fn.launch", "-n", str(processes), *options, *arguments]


def run_whole(arguments: list[str], devices: int, **environment: str) -> str:
    """Runs Python, fails the test if the program fails, and returns what it has printed."""
    found = run(arguments, devices, **environment)
    if found.returncode:
        pytest.fail(f"{found.stdout[-4000:]}\n{found.stderr[-4000:]}", pytrace=False)
    return found.stdout
