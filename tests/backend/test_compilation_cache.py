"""Compiled functions on disk, which the next process takes from there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import keras_fn as keras
from keras_fn.backend import compilation_cache
from keras_fn.backend.loader import current, supports
from keras_fn.errors import SpecError

PROGRAM = """
import sys
import numpy as np
import keras_fn as keras
if len(sys.argv) > 1:
    keras.config.enable_compilation_cache(sys.argv[1])
x = keras.Input((3,))
keras.Model(x, keras.layers.Dense(2)(x)).predict(np.ones((4, 3)), verbose=0)
"""


class Backend:
    """A backend that notes the folder."""

    name = "noted"

    def cache_compilations(self, folder: Path) -> None:
        self.folder = folder


def run(*args: str, **environment: str) -> str:
    command = [sys.executable, "-W", "always", "-c", PROGRAM, *args]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stderr


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "atime" not in path.name}


@pytest.mark.skipif(keras.config.backend() != "jax", reason="others compile no small models")
def test_a_second_process_compiles_nothing(tmp_path: Path):
    run(str(tmp_path))
    files = files_of(tmp_path / "jax")
    assert files
    run(KERAS_COMPILATION_CACHE=str(tmp_path))
    assert files_of(tmp_path / "jax") == files


def test_a_framework_without_a_cache_says_so():
    class Plain:
        name = "plain"

    with pytest.warns(UserWarning, match="no compilation cache with the backend 'plain'"):
        compilation_cache.cache_compilations(Plain(), None)
    assert supports("cache_compilations") == (current().name in ("jax", "torch"))


def test_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    backend = Backend()
    compilation_cache.cache_compilations(backend, tmp_path / "mine")
    assert backend.folder == (tmp_path / "mine" / "noted").resolve()
    assert backend.folder.stat().st_mode & 0o077 == 0, "others can put programs there"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for value in ("1", "on"):
        monkeypatch.setenv("KERAS_COMPILATION_CACHE", value)
        compilation_cache.cache_as_environment_says(backend)
        assert backend.folder == (tmp_path / "compilation_cache" / "noted").resolve()
    monkeypatch.setenv("KERAS_COMPILATION_CACHE", "")
    del backend.folder
    compilation_cache.cache_as_environment_says(backend)
    assert not hasattr(backend, "folder")


@pytest.mark.parametrize("folder", [3, "", b"x", "a\0b", "~no_such_user/x", __file__])
def test_other_folders_are_refused(folder: Any):
    with pytest.raises(SpecError, match="folder: the path of a folder"):
        compilation_cache.cache_compilations(Backend(), folder)


@pytest.mark.parametrize("folder", [__file__, "~no_such_user/x"])
def test_a_bad_folder_in_the_environment_is_a_warning(folder: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KERAS_COMPILATION_CACHE", folder)
    with pytest.warns(UserWarning, match="KERAS_COMPILATION_CACHE is ignored"):
        compilation_cache.cache_as_environment_says(Backend())
