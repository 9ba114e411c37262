"""Libraries that import Keras, unedited, with real Keras and with keras_fn under its name.

`python integration_tests/clients [LIBRARY ...]` runs the programs in this folder, and the library's
own tests, which are cloned from its repository at the installed version (`--offline` leaves them
out). At least 99 % of what passes with real Keras must pass with keras_fn, and something must.
"""

import argparse
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ASKED = 0.99


class Client(NamedTuple):
    """A library: its repository, and the folder of its tests there; "" for none that are run."""

    distribution: str
    repository: str = ""
    tests: str = ""


CLIENTS = {
    "keras_rs": Client("keras-rs", "https://github.com/keras-team/keras-rs", "keras_rs"),
    "keras_tuner": Client(
        "keras-tuner", "https://github.com/keras-team/keras-tuner", "keras_tuner"
    ),
    "scikeras": Client("scikeras", "https://github.com/adriangb/scikeras", "tests"),
    "keras_hub": Client("keras-hub"),
}


def main() -> int:
    """Prints what passes with each, and what fails with keras_fn alone; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("libraries", nargs="*", default=list(CLIENTS), metavar="LIBRARY")
    parser.add_argument("--offline", action="store_true", help="run the programs here alone")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.libraries) - set(CLIENTS)):
        parser.error(f"no such library: {', '.join(unknown)}; there are {', '.join(CLIENTS)}")
    below = []
    with tempfile.TemporaryDirectory() as folder:
        for library in arguments.libraries:
            client = CLIENTS[library]
            runs = [("programs", HERE, str(HERE / f"client_{library}.py"))]
            if client.repository and not arguments.offline:
                runs.append(("own tests", _clone(client, Path(folder)), client.tests))
            below += [
                f"{library}, {what}" for what, *run in runs if not _is_enough(library, what, *run)
            ]
    if below:
        print(f"under {ASKED:.0%}, or nothing passes: {'; '.join(below)}")
    return 1 if below else 0


def _clone(client: Client, folder: Path) -> Path:
    version = importlib.metadata.version(client.distribution)
    target = folder / client.distribution
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", "-b", f"v{version}", client.repository, target],
        check=True,
    )
    return target


def _is_enough(library: str, what: str, folder: Path, tests: str) -> bool:
    """Runs tests with both; returns whether enough of them pass with keras_fn."""
    keras = _passing(folder, tests, [])
    ours = _passing(folder, tests, ["-m", "keras_fn", "run"])
    lost = sorted(keras - ours)
    print(f"{library}, {what}: {len(keras)} pass with Keras, {len(keras) - len(lost)} of them here")
    for name in lost:
        print(f"    {name}")
    return bool(keras) and len(lost) <= (1 - ASKED) * len(keras)


def _passing(folder: Path, tests: str, launcher: list[str]) -> set[str]:
    """Returns the names of the tests that pass."""
    with tempfile.TemporaryDirectory() as output:
        report = Path(output) / "report.xml"
        pytest = ["-m", "pytest", "-q", "-c", str(HERE / "pytest.ini"), "--rootdir", str(folder)]
        command = [sys.executable, *launcher, *pytest, tests, f"--junitxml={report}"]
        log = Path(output) / "log"
        with log.open("w") as stream:
            subprocess.run(
                command, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, check=False
            )
        if not report.exists():
            print(log.read_text("utf-8", "replace")[-3000:])
            return set()
        cases = ElementTree.parse(report).iter("testcase")
        return {
            f"{case.get('classname')}::{case.get('name')}"
            for case in cases
            if not any(
                case.find(outcome) is not None for outcome in ("failure", "error", "skipped")
            )
        }


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
