"""Loads the one backend of the process when it is first needed."""

import importlib
from importlib.metadata import entry_points
from typing import cast

from keras_fn.backend.compilation_cache import cache_as_environment_says
from keras_fn.backend.contract import Backend
from keras_fn.settings import BUILTIN_BACKENDS, is_installed, settings

_GROUP = "keras_fn.backends"
_loaded: Backend | None = None


def current() -> Backend:
    """Returns the active backend, loading it at the first call.

    Raises:
        ValueError: `KERAS_BACKEND` is not the name of a known backend.
        ImportError: The backend's library is not installed.
    """
    global _loaded
    if _loaded is None:
        _loaded = _load(name())
        cache_as_environment_says(_loaded)
    return _loaded


def supports(capability: str) -> bool:
    """Returns whether the active backend has an optional capability.

    Args:
        capability: The name of an optional function of `keras_fn.backend.contract`, for example
            `"compile_call"`, `"compile_multi_step"` or `"foreach"`; of an op with the prefix
            `"ops."`, for example `"ops.while_loop"`.
    """
    holder, _, name = capability.rpartition(".")
    return hasattr(current().ops if holder else current(), name)


def is_loaded() -> bool:
    """Returns whether a backend is loaded, so that the choice can no longer change."""
    return _loaded is not None


def name() -> str:
    """Returns the name of the active backend, or of the one that would be loaded.

    Raises:
        ImportError: No supported library is installed.
    """
    if settings.backend is None:
        settings.backend = next(
            (n for n, (_, library) in BUILTIN_BACKENDS.items() if is_installed(library)), None
        )
    if settings.backend is None:
        raise ImportError(
            "keras_fn needs one of JAX, PyTorch and TensorFlow, and none is installed.\n"
            "  fix: pip install jax   (or: torch, tensorflow)"
        )
    return settings.backend


def set_backend(backend: str) -> None:
    """Chooses the backend. It must be called before a backend is loaded.

    Args:
        backend: `"jax"`, `"torch"`, `"tensorflow"`, or a name in the entry-point group
            `keras_fn.backends`.

    Raises:
        ValueError: The name is unknown.
        RuntimeError: Another backend is already loaded.

    Example:
        >>> from keras_fn.backend import loader
        >>> set_backend(loader.name())
    """
    if _loaded is not None and _loaded.name != backend:
        raise RuntimeError(
            f"The backend {_loaded.name!r} is already loaded, so {backend!r} cannot be chosen.\n"
            "  fix: call set_backend before layers, ops or models are used, or start a new "
            f"process with KERAS_BACKEND={backend}"
        )
    if backend not in BUILTIN_BACKENDS and backend not in _plugins():
        raise _unknown(backend)
    settings.backend = backend


def _plugins() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=_GROUP)}


def _unknown(backend: str) -> ValueError:
    installed = [n for n, (_, library) in BUILTIN_BACKENDS.items() if is_installed(library)]
    return ValueError(
        f"Unknown backend {backend!r}.\n"
        f"  installed: {', '.join([*installed, *_plugins()]) or 'none'}\n"
        "  fix: set KERAS_BACKEND to one of these, or pip install jax (or torch, tensorflow), or "
        f"a package that registers {backend!r} in the entry-point group {_GROUP!r}"
    )


def _load(backend: str) -> Backend:
    # Built-in names map directly to their packages: no scan of all metadata at import.
    package, library = BUILTIN_BACKENDS.get(backend, (None, None))
    if package is None:
        package = _plugins().get(backend)
        if package is None:
            raise _unknown(backend)
    elif not is_installed(cast(str, library)):
        installed = [n for n, (_, lib) in BUILTIN_BACKENDS.items() if is_installed(lib)]
        raise ImportError(
            f"The backend {backend!r} is chosen, but {library} is not installed.\n"
            f"  installed: {', '.join(installed) or 'none'}\n"
            f"  fix: pip install {library}, or set KERAS_BACKEND to one that is installed"
        )
    return cast(Backend, importlib.import_module(package))
