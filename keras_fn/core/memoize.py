"""Memoization of functions of shapes and options."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

from keras_fn.core.tracing import substitute_when_tracing

F = TypeVar("F", bound=Callable[..., Any])


def memoize(function: F) -> F:
    """Decorator: caches the results of a pure function of shapes and options.

    Unhashable arguments are allowed (lists, symbolic sizes of a traced graph); for these the
    function runs each time.

    Args:
        function: A pure function of positional arguments.

    Example:
        >>> from keras_fn.core.memoize import memoize
        >>> count = memoize(lambda sizes: len(sizes))
        >>> count((2, 3)), count([2, 3])
        (2, 2)
    """
    cached = lru_cache(1024)(function)

    @substitute_when_tracing(function)
    @wraps(function)
    def call(*args: Any) -> Any:
        try:
            return cached(*args)
        except TypeError:  # unhashable, or raised by the function, which will raise it again
            pass
        return function(*args)

    return call  # type: ignore[return-value]
