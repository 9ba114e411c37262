"""Traceback filtering: removes the frames of this package, so that the user's code remains."""

from collections.abc import Callable
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar

from keras_fn.settings import settings

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = __name__.partition(".")[0]


def filter_traceback(function: Function) -> Function:
    """Decorator for entry points: removes internal frames from the tracebacks of errors.

    It has no effect after `keras.config.disable_traceback_filtering()`.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if settings.traceback_filtering:
                hide_frames(error)
            raise  # without an argument, so that this frame is not added again

    return call  # type: ignore[return-value]


def hide_frames(error: BaseException) -> None:
    """Removes internal frames from the traceback of an error, of its causes and contexts."""
    seen: set[int] = set()
    stack: list[BaseException | None] = [error]
    while stack:
        current = stack.pop()
        if current is not None and id(current) not in seen:
            seen.add(id(current))
            current.__traceback__ = _filter_frames(current.__traceback__)
            stack += [current.__cause__, current.__context__]


def _filter_frames(traceback: TracebackType | None) -> TracebackType | None:
    links = []
    while traceback is not None:
        if not _is_internal_frame(traceback.tb_frame):
            links.append(traceback)
        traceback = traceback.tb_next
    for link in reversed(links):
        traceback = TracebackType(traceback, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return traceback


def _is_internal_frame(frame: FrameType) -> bool:
    """Returns whether a frame runs code of this package or of one of its backends."""
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package == _PACKAGE or package.startswith(f"{_PACKAGE}_")
