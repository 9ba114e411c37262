"""Compiled functions that models which are alike share: without functions of a model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import jax

from keras_fn.core import tree
from keras_fn.core.programs import ProgramShare


class PyTreeAdapter:
    """Passes nested results through a JAX transform, which would sort the keys of dicts."""

    def __init__(self) -> None:
        self.skeleton: Any = None

    def flat(self, results: Any) -> list[Any]:
        """Returns the leaves and stores the structure."""
        self.skeleton = tree.map_structure(lambda _: None, results)
        return tree.flatten(results)

    def nested(self, leaves: list[Any]) -> Any:
        """Restores the structure of the leaves."""
        return tree.unflatten(self.skeleton, leaves)


class NotTracedError(Exception):
    """A shared program meets arguments for which no model was traced yet."""


class SharedFunction:
    """A function to compile, of whichever model is traced: it holds none, so none is kept alive.

    Args:
        options: Arguments of `jax.jit`.

    Attributes:
        adapter: Restores the structure of the results.
        compiled: The compiled function.
    """

    def __init__(self, options: dict[str, Any]):
        self.adapter = PyTreeAdapter()
        self.compiled = jax.jit(self.__call__, **options)
        self._local = local()

    def __call__(self, *args: Any) -> Any:
        function = getattr(self._local, "function", None)
        if function is None:
            raise NotTracedError
        return function(*args)

    @contextmanager
    def trace(self, function: Callable[..., Any], share: ProgramShare) -> Iterator[None]:
        """Inside the context, a call in this thread traces `function`, of a model that shares."""
        self._local.function = function
        try:
            yield
        finally:
            del self._local.function
            share.finish_trace()


def trace_settings() -> tuple[str, ...]:
    """Returns all flags of JAX, those of the thread too: a trace may depend on any."""
    return tuple(map(str, jax.config.values.values()))
