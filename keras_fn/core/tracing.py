"""Substitutes for functions while `torch.compile` (Dynamo) traces them.

Dynamo guards everything that a traced function reads, so caches and fast paths must be invisible to
it, or every warm call would recompile.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def substitute_when_tracing(substitute: Callable[..., Any]) -> Callable[[Function], Function]:
    """Decorator: Dynamo traces `substitute` instead of the decorated function.

    Args:
        substitute: A function of the same arguments, without caches.

    Example:
        >>> from keras_fn.core.tracing import substitute_when_tracing
        >>> half = substitute_when_tracing(lambda x: x / 2)(lambda x: x * 0.5)
        >>> half(3.0)
        1.5
    """

    def mark(function: Function) -> Function:
        function._torchdynamo_inline = substitute  # type: ignore[attr-defined]
        return function

    return mark


def assume_constant_result(function: Function) -> Function:
    """Decorator: Dynamo calls the function once, and treats the result as a constant.

    As `torch.compiler.assume_constant_result`, without an import of PyTorch.

    Args:
        function: A pure function of plain values.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


@substitute_when_tracing(lambda: True)
def is_dynamo_compiling() -> bool:
    """Returns whether Dynamo is tracing the caller."""
    return False
