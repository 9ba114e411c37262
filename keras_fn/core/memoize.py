"""Results that are kept: what depends on shapes and options alone is worked out once."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

from keras_fn.core.tracing import traced_as

F = TypeVar("F", bound=Callable[..., Any])


def remembered(function: F) -> F:
    """Keeps the results of a pure function of shapes and options.

    Arguments without a hash are allowed: lists, or sizes of a graph that PyTorch is tracing. For
    these it works the result out again.

    Example:
        >>> from keras_fn.core.memoize import remembered
        >>> count = remembered(lambda sizes: len(sizes))
        >>> count((2, 3)), count([2, 3])
        (2, 2)
    """
    cached = lru_cache(1024)(function)

    @traced_as(function)
    @wraps(function)
    def call(*args: Any) -> Any:
        try:
            return cached(*args)
        except TypeError:  # no hash, or the function's own, which it raises again
            pass
        return function(*args)

    return call  # type: ignore[return-value]
