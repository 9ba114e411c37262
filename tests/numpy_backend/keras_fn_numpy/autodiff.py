"""Custom gradients, forward-mode derivatives, rematerialization."""

from collections.abc import Callable
from typing import Any, NoReturn

from keras_fn.errors import UnsupportedError


def custom_gradient(function: Callable[..., Any], leaves: Any) -> list[Any]:
    """Nobody asks for the gradient."""
    results, _ = function(leaves)
    return list(results)


def remat(function: Callable[..., Any], leaves: Any) -> list[Any]:
    """Nothing is kept for gradients."""
    return function(leaves)


def jvp(function: Any, primals: Any, tangents: Any, has_aux: bool) -> NoReturn:
    """Refuses, as `value_and_grad` does."""
    raise UnsupportedError(
        "the numpy backend has no gradients: it only infers", fix="use another one"
    )


def stop_gradient(variable: Any) -> Any:
    """There are no gradients."""
    return variable
