"""Reverse-mode automatic differentiation, the same on every backend."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.variable import Variable
from keras_fn.types import Tensor


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Variable], has_aux: bool = False
) -> Callable[..., tuple[Any, list[Tensor]]]:
    """Returns a function that computes the value of `fn` and its gradients.

    Assignments to variables in `fn` (moving averages, random seeds) take effect.

    Args:
        fn: Returns a scalar loss; with `has_aux`, `(loss, aux)`.
        variables: The variables to differentiate with respect to.
        has_aux: Whether `fn` returns auxiliary values in addition to the loss. Default False.

    Returns:
        A function that takes the positional arguments of `fn` and returns `(loss, gradients)`, or
        `((loss, aux), gradients)`. Gradients are a list, in the order of `variables`.

    Example:
        >>> v = keras.Variable([1.0, 2.0])
        >>> loss, grads = keras.value_and_grad(lambda: ops.sum(v * v), [v])()
        >>> float(loss), ops.convert_to_numpy(grads[0]).tolist()
        (5.0, [2.0, 4.0])
    """
    if has_aux:
        return current().value_and_grad(fn, variables)

    def with_aux(*args: Any) -> tuple[Any, None]:
        return fn(*args), None

    differentiated = current().value_and_grad(with_aux, variables)

    def run(*args: Any) -> tuple[Any, list[Tensor]]:
        (value, _), grads = differentiated(*args)
        return value, grads

    return run
