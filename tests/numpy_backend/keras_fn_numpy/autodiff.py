"""Custom gradients, forward-mode derivatives, rematerialization."""

from collections.abc import Callable
from typing import Any, NoReturn

from keras_fn.errors import UnsupportedError


def custom_gradient(function: Callable[..., Any], leaves: Any) -> list[Any]:
    """Returns the results alone: there are no gradients."""
    results, _ = function(leaves)
    return list(results)


def remat(function: Callable[..., Any], leaves: Any) -> list[Any]:
    """Runs the function: nothing is stored for gradients."""
    return function(leaves)


def jvp(function: Any, primals: Any, tangents: Any, has_aux: bool) -> NoReturn:
    """Raises, as `value_and_grad` does."""
    raise UnsupportedError(
        "the numpy backend has no gradients: it is for inference only", fix="use another one"
    )


def stop_gradient(variable: Any) -> Any:
    """Returns the tensor: there are no gradients."""
    return variable
