"""What a compiler that follows our Python code, as PyTorch's does, shall read in place of it.

Such a compiler checks at every call that all it has read is as it was. What a warm call learns
(short roads, results that are kept) must therefore be invisible to it: it would compile anew.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def traced_as(other: Callable[..., Any]) -> Callable[[Function], Function]:
    """Marks a function in whose place the compiler follows `other`.

    Example:
        >>> from keras_fn.core.tracing import traced_as
        >>> half = traced_as(lambda x: x / 2)(lambda x: x * 0.5)
        >>> half(3.0)
        1.5
    """

    def mark(function: Function) -> Function:
        function._torchdynamo_inline = other  # type: ignore[attr-defined]
        return function

    return mark


def worked_out(function: Function) -> Function:
    """Marks a function of plain values that the compiler calls, once, instead of following it."""
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


@traced_as(lambda: True)
def is_followed() -> bool:
    """Whether a compiler follows the code that asks."""
    return False
