"""Shared by all tests and doctests."""

import atexit
import gc
import json
import os
import random
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The user's own config must not decide what is tested.
if "KERAS_HOME" not in os.environ:
    os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="keras_home_")
    atexit.register(shutil.rmtree, os.environ["KERAS_HOME"], ignore_errors=True)
# A push draws the same random numbers in each run, the thorough run others each time.
SEED = os.environ.get("KERAS_FN_SEED")


def pytest_report_header() -> str | None:
    """Says how to draw the same numbers again."""
    return f"random numbers: KERAS_FN_SEED={SEED}" if SEED else None


def pytest_configure() -> None:
    """Makes hypothesis draw the same examples in each run of a push."""
    from hypothesis import settings

    settings.register_profile("push", derandomize=True)
    if SEED is None:
        settings.load_profile("push")


@pytest.fixture(autouse=True)
def _seed_random_numbers(request: pytest.FixtureRequest) -> None:
    """What a test draws depends on its name alone, not on the tests before it.

    Seeds of `keras_fn` are drawn from Python's random numbers, as at the start of a program: no
    `set_random_seed` has been called, nor a global seed of TensorFlow set.
    """
    import numpy as np

    from keras_fn.random import seed_generator

    seed = zlib.crc32(f"{SEED} {request.node.nodeid}".encode())
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
    if "tensorflow" in sys.modules and seed_generator.get_random_seed() is not None:
        sys.modules["tensorflow"].random.set_seed(None)  # what the test before has set
    seed_generator._global_state = seed_generator._GlobalSeedState(None)


@pytest.fixture(autouse=True)
def _share_no_programs_with_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test compiles does not depend on the models of the tests before it."""
    from weakref import WeakValueDictionary

    from keras_fn.core import programs

    monkeypatch.setattr(programs, "_programs", WeakValueDictionary())
    programs.clear_programs()


@pytest.fixture(autouse=True)
def _names_for_doctests(request: pytest.FixtureRequest) -> None:
    """Examples may name `keras`, `ops`, `np` and every op."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    import numpy as np

    import keras_fn as keras
    from keras_fn import ops

    names = request.node.dtest.globs
    for name in dir(ops):  # a module's own names go first
        if not name.startswith("_"):
            names.setdefault(name, getattr(ops, name))
    names.update(keras=keras, ops=ops, np=np)


@pytest.fixture(autouse=True, scope="session")
def _whole_tracebacks() -> None:
    """A test that fails shows where."""
    from keras_fn import config

    config.disable_traceback_filtering()


@pytest.fixture(autouse=True, scope="module")
def _forget_compiled_functions() -> Iterator[None]:
    """JAX keeps every function that it compiled: gigabytes, over thousands of tests."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    gc.collect()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Writes the ten slowest tests to the file that `nox -s tests` collects them from."""
    path = os.environ.get("KERAS_FN_DURATIONS")
    if path is None:
        return
    reports = [r for group in terminalreporter.stats.values() for r in group]
    calls = {r.nodeid: r.duration for r in reports if getattr(r, "when", None) == "call"}
    # A part may run pytest several times.
    known = json.loads(Path(path).read_text("utf-8")) if Path(path).exists() else []
    slowest = {test: seconds for seconds, test in known} | calls
    ranked = sorted(((seconds, test) for test, seconds in slowest.items()), reverse=True)
    Path(path).write_text(json.dumps(ranked[:10]), "utf-8")
