"""Loads files in another process, so that a hang, a crash or a memory bomb is a failed test."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "keras_files"
SECONDS = 10


class Watchdog:
    """Loads files, one at a time, with at most 10 s and 1 GiB more memory for each."""

    def __init__(self):
        self._process: subprocess.Popen | None = None

    def load(self, kind: str, path: Path) -> dict:
        """Returns what `load_worker.answer` says of the file."""
        process = self._process = self._process or self._start()
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps({"kind": kind, "path": str(path)}) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        line = process.stdout.readline() if ready else ""
        if not line:
            self.stop()
            pytest.fail(f"{path}: took more than {SECONDS} s" if not ready else f"{path}: crashed")
        return json.loads(line)

    def refuses(self, kind: str, path: Path, said: str = "") -> str:
        """Asserts that the file gives one of our errors, in the promised form."""
        result = self.load(kind, path)
        assert result["error"], f"{path} was accepted"
        assert {"ModelFileError", "ModelFileTypeError"} & set(result["error"]), result
        message = result["message"]
        assert len(message) < 2000
        assert kind == "json" or str(path) in message
        assert said in message, message
        assert "takes more memory" not in message, "the memory limit, not a check, refused it"
        return message

    def accepts(self, kind: str, path: Path) -> list[str]:
        result = self.load(kind, path)
        assert result["error"] is None, result["message"]
        return result["found"]

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
        self._process = None

    @staticmethod
    def _start() -> subprocess.Popen:
        worker = Path(__file__).with_name("load_worker.py")
        process = subprocess.Popen(
            [sys.executable, str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        return process


@pytest.fixture(scope="session")
def watchdog() -> Iterator[Watchdog]:
    dog = Watchdog()
    yield dog
    dog.stop()
