"""The part of the backend contract about compiled functions that are used again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class SupportsSharedPrograms(Protocol):
    """Optional: a backend whose compiled functions run with the variables of any model.

    Then `compile` and `compile_multi_step` take an argument `share`, a
    `keras_fn.core.programs.ProgramShare` or None: what they compile is kept in its program, which
    may hold no model and no variable, and is used by all models with the same key.
    """

    def trace_settings(self) -> tuple[Any, ...] | None:
        """Returns the settings of the framework that a trace depends on, as plain values.

        None where nothing may be shared at present.
        """
        ...


class SupportsCompilationCache(Protocol):
    """Optional: a framework that can keep what its compiler makes on disk."""

    def cache_compilations(self, folder: Path) -> None:
        """Keeps compiled functions in a folder, and takes them from there in later processes.

        Small ones, too. It holds for what is compiled from now on.
        """
        ...
