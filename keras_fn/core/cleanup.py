"""Cleanup at the end of a run of `fit`, `evaluate` or `predict`, whether it returns or raises."""

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_cleanups: ContextVar[ExitStack | None] = ContextVar("keras_fn_cleanups", default=None)


def with_cleanup(function: Function) -> Function:
    """Decorator: runs what `register_cleanup` registered during a call when the call ends.

    A traceback keeps the frames of a failed run alive, and with them the threads and processes
    that serve it. Without this, they would end only when the exception is garbage-collected.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as cleanups:
            token = _cleanups.set(cleanups)
            cleanups.callback(_cleanups.reset, token)
            return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def register_cleanup(close: Callable[[], Any]) -> None:
    """Calls `close` when the current run ends. Outside of a run this does nothing.

    Args:
        close: Ends a thread or a process, or waits for it.
    """
    cleanups = _cleanups.get()
    if cleanups is not None:
        cleanups.callback(close)
