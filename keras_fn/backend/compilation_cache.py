"""The compilation cache: what the compiler of the framework makes, kept on disk."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.settings import home

_DEFAULT = ("1", "true", "yes", "on")  # values of the environment variable: the default folder


def cache_compilations(backend: Any, folder: Any) -> None:
    """Starts the compilation cache of a backend.

    Args:
        backend: The backend. A warning says if its framework has none.
        folder: A path, or None for the folder `compilation_cache` next to `keras.json`.

    Raises:
        SpecError: It is not a path, or a folder cannot be made there.
    """
    if not hasattr(backend, "cache_compilations"):
        warnings.warn(
            f"There is no compilation cache with the backend {backend.name!r}: its framework "
            "cannot keep compiled functions on disk. Each process compiles anew.",
            stacklevel=3,
        )
        return
    own = (home() / "compilation_cache" if folder is None else _to_path(folder)) / backend.name
    try:
        # The process runs what is in the folder, so no one else may write there.
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _folder_error(f"{folder!r}: {error.strerror}") from error
    if not os.access(own, os.W_OK):
        raise _folder_error(f"{folder!r}, where this user may not write")
    backend.cache_compilations(own.resolve())


def cache_as_environment_says(backend: Any) -> None:
    """Starts the compilation cache if `KERAS_COMPILATION_CACHE` is set; a backend is loaded.

    A folder that cannot be used is a warning: a program must not fail for a cache.
    """
    value = os.environ.get("KERAS_COMPILATION_CACHE", "")
    if not value:
        return
    try:
        cache_compilations(backend, None if value.lower() in _DEFAULT else value)
    except SpecError as error:
        warnings.warn(f"KERAS_COMPILATION_CACHE is ignored: {error}", stacklevel=2)


def _to_path(folder: Any) -> Path:
    path = os.fspath(folder) if isinstance(folder, (str, os.PathLike)) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise _folder_error(f"{folder!r} of type {type(folder).__name__}")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # no such user
        raise _folder_error(f"{folder!r}: {error}") from error


def _folder_error(received: str) -> SpecError:
    return SpecError(
        "config.enable_compilation_cache",
        expected="folder: the path of a folder that this user can write to, or None",
        received=received,
        fix="for example config.enable_compilation_cache('~/.cache/my_program')",
    )
