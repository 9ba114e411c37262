"""What a run of fit, evaluate or predict puts away when it ends, however it ends."""

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_endings: ContextVar[ExitStack | None] = ContextVar("keras_fn_run", default=None)


def run(function: Function) -> Function:
    """Marks a function as a run: threads and processes that serve it end with it.

    An error keeps the frames of the run alive, and with them what they hold: without this,
    threads would end only when the error is forgotten.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as endings:
            token = _endings.set(endings)
            endings.callback(_endings.reset, token)
            return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def at_end_of_run(close: Callable[[], Any]) -> None:
    """Has `close` called when the run that is under way ends; nothing where there is none."""
    endings = _endings.get()
    if endings is not None:
        endings.callback(close)
