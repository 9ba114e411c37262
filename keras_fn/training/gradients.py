"""Reverse-mode automatic differentiation, the same on every backend."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from keras_fn.backend.distribution_contract import SupportsReplicas
from keras_fn.backend.loader import current
from keras_fn.core.scopes import context
from keras_fn.core.sharded_variable import gather_gradient
from keras_fn.core.variable import Variable
from keras_fn.errors import UnsupportedError
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
    has_replicas = context.current.replica is not None
    differentiate = _differentiate_whole if has_replicas else current().value_and_grad
    if has_aux:
        return differentiate(fn, variables)

    def with_aux(*args: Any) -> tuple[Any, None]:
        return fn(*args), None

    differentiated = differentiate(with_aux, variables)

    def run(*args: Any) -> tuple[Any, list[Tensor]]:
        (value, _), grads = differentiated(*args)
        return value, grads

    return run


def differentiate_replica(
    fn: Callable[..., tuple[Any, Any]], variables: Sequence[Variable]
) -> Callable[..., tuple[tuple[Any, Any], list[Tensor]]]:
    """Returns `value_and_grad` with `has_aux` of a replica: gradients are those of the whole batch.

    Gradients of sharded variables are those of the part of this process.

    The value is that of the rows of this process. It is weighted by their share of the batch before
    gradients are taken, as some flow between processes, through sums over the batch.

    Args:
        fn: Returns `(loss, aux)`.
        variables: The variables to differentiate with respect to.

    Raises:
        UnsupportedError: A variable is overwritten with its gradient, which has no sum.
    """
    replica = context.current.replica
    for variable in variables:
        if variable.overwrite_with_gradient:
            raise UnsupportedError(
                f"{variable.path!r} is a scale of 8-bit floats, of the rows of a process.",
                fix="train in one process, or quantize after training",
            )

    def weighted(*args: Any) -> tuple[Any, tuple[Any, Any]]:
        value, aux = fn(*args)
        return replica.weigh(value), (value, aux)

    run = cast(SupportsReplicas, current()).summed_value_and_grad(weighted, variables)

    def differentiated(*args: Any) -> tuple[tuple[Any, Any], list[Tensor]]:
        replica.gradients.summed = True
        (_, result), grads = run(*args)
        return result, grads

    return differentiated


def _differentiate_whole(
    fn: Callable[..., tuple[Any, Any]], variables: Sequence[Variable]
) -> Callable[..., tuple[tuple[Any, Any], list[Tensor]]]:
    """Same as `differentiate_replica`, with whole gradients: a program may compute with them."""
    run = differentiate_replica(fn, variables)

    def differentiated(*args: Any) -> tuple[tuple[Any, Any], list[Tensor]]:
        result, grads = run(*args)
        return result, [gather_gradient(v, g) for v, g in zip(variables, grads, strict=True)]

    return differentiated
