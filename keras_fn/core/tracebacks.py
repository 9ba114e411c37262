"""Tracebacks without the frames of this package: what is left is the user's own program."""

from collections.abc import Callable
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar

from keras_fn.settings import settings

Function = TypeVar("Function", bound=Callable[..., Any])


def entrance(function: Function) -> Function:
    """Marks a function at which users enter: errors leave it without our frames.

    It changes nothing while `config.disable_traceback_filtering()`.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if settings.traceback_filtering:
                hide_frames(error)
            raise  # without an argument: it does not add this frame again

    return call  # type: ignore[return-value]


def hide_frames(error: BaseException) -> None:
    """Takes our frames out of the traceback of an error, and of those that led to it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = _filtered(each.__traceback__)
            waiting += [each.__cause__, each.__context__]


def _filtered(traceback: TracebackType | None) -> TracebackType | None:
    links = []
    while traceback is not None:
        if not _is_ours(traceback.tb_frame):
            links.append(traceback)
        traceback = traceback.tb_next
    for link in reversed(links):
        traceback = TracebackType(traceback, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return traceback


def _is_ours(frame: FrameType) -> bool:
    """Whether a frame runs code of this package or of a backend of it."""
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package == "keras_fn" or package.startswith("keras_fn_")
