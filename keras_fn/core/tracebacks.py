"""Traceback filtering: removes the frames of this package, so that the user's code remains."""

import inspect
from collections.abc import Callable
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar

from keras_fn.errors import DTypeError, unexpected_arguments
from keras_fn.settings import settings

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = __name__.partition(".")[0]


def filter_traceback(function: Function) -> Function:
    """Decorator for entry points: removes internal frames from the tracebacks of errors.

    It has no effect after `keras.config.disable_traceback_filtering()`. An argument that the
    function does not have is an error in four parts, which suggests the one that was meant.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if isinstance(error, TypeError):
                refused = _binding_error(function, args, kwargs)
                if refused is not None:
                    raise refused from None
            if settings.traceback_filtering:
                hide_frames(error)
            raise  # without an argument, so that this frame is not added again

    return call  # type: ignore[return-value]


def user_stacklevel() -> int:
    """Returns the `stacklevel` at which a warning names the line that called this package."""
    level, frame = 1, inspect.currentframe()
    frame = frame.f_back if frame is not None else None  # the function that warns
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    return level


def _binding_error(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> DTypeError | None:
    """Returns the error for arguments that a function does not take; None if it takes them."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        names = [name for name in signature.parameters if name != "self"]
        unexpected = [name for name in kwargs if name not in names]
        if unexpected:
            return unexpected_arguments(function.__name__, unexpected, names)
        return DTypeError(
            function.__name__,
            expected=f"the arguments {', '.join(names)}",
            received=f"arguments that do not fit: {error}",
            fix="pass each argument once, and those without a default",
        )
    return None


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
