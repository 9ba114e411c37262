"""`integration_tests/clients` clones the tests of a library at its version, and compares counts."""

import importlib.metadata
import runpy
import subprocess
from pathlib import Path

import pytest

from keras_fn.config import backend

PROGRAM = Path(__file__).parent / "clients" / "__main__.py"
ALIASED = "def test_{}():\n    import os\n    assert ('KERAS_FN_ALIASES' in os.environ) is {}\n"

TAG = f"v{importlib.metadata.version('numpy')}"

pytestmark = pytest.mark.skipif(backend() != "torch", reason="the same on every backend")


@pytest.fixture
def repository(tmp_path):
    """A bare repository with tests; only its tag, of NumPy's version, has the right ones."""
    work, bare = tmp_path / "work", tmp_path / "library.git"
    git = ["git", "-C", str(work), "-c", "user.name=a", "-c", "user.email=a@b"]
    (work / "tests").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    for text, tag in (("def test_tagged(): pass\n", TAG), ("def test_later(): 1 / 0\n", "later")):
        (work / "tests" / "test_it.py").write_text(text, encoding="utf-8")
        for command in (["add", "."], ["commit", "-q", "-m", tag], ["tag", tag]):
            subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return bare.as_uri()


def test_the_tests_of_a_library_are_cloned_at_the_installed_version(repository, tmp_path):
    program = runpy.run_path(str(PROGRAM))
    clone = program["_clone"](program["Client"]("numpy", repository, "tests"), tmp_path / "clones")
    assert "test_tagged" in (clone / "tests" / "test_it.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("tests", "is_enough"),
    [
        ("def test_a(): pass\ndef test_b(): 1 / 0\n" + ALIASED.format("ours_alone", True), True),
        ("def test_a(): pass\n" + ALIASED.format("keras_alone", False), False),
    ],
)
def test_what_passes_with_keras_must_pass_here(tests, is_enough, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("KERAS_FN_ALIASES", raising=False)
    (tmp_path / "test_library.py").write_text(tests, encoding="utf-8")
    program = runpy.run_path(str(PROGRAM))
    assert program["_is_enough"]("library", "own tests", tmp_path, ".") is is_enough
    printed = capsys.readouterr().out
    assert "pass with Keras" in printed and ("keras_alone" in printed) == ("keras_alone" in tests)
