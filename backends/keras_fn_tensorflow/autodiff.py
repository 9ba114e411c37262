"""Custom gradients, forward-mode derivatives, rematerialization."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.core.captured_variables import CapturedVariables, with_captured_variables
from keras_fn.core.scopes import StatelessScope, context
from keras_fn_tensorflow.control_flow import discover_writes_then_run


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[Any]
) -> list[Any]:
    """`tf.custom_gradient`."""

    @tf.custom_gradient
    def with_vjp(*leaves: Any) -> tuple[Any, Any]:
        results, vjp = function(leaves)
        return results, lambda *upstream: vjp(upstream)

    return list(with_vjp(*leaves))


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """`tf.autodiff.ForwardAccumulator`."""
    primals = [tf.identity(x) for x in primals]  # a tensor may occur twice
    with tf.autodiff.ForwardAccumulator(primals, list(tangents)) as forward:
        results = function(*primals)
    results, *aux = results if has_aux else (results,)
    zeros = tf.UnconnectedGradients.ZERO
    return results, forward.jvp(results, unconnected_gradients=zeros), *aux


def remat(function: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """`tf.recompute_grad`, with the values of the enclosing StatelessScope as arguments.

    `recompute_grad` differentiates with respect to its arguments and TensorFlow's variables, not
    other captured tensors.
    """
    outer = context.current.stateless
    held = {} if outer is None else dict(outer.state)

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        step = state.functionalize(function)
        now = [tf.convert_to_tensor(v) for v in state.values]  # the recomputation needs them, too
        first, last = len(now), len(now) + len(leaves)

        def inner(*tensors: Any) -> Any:
            scope = StatelessScope()
            scope.state = dict(zip(held, tensors[last:], strict=True))
            with scope:
                return step(list(tensors[:first]), list(tensors[first:last]))

        return tf.recompute_grad(inner)(*now, *leaves, *held.values())

    return with_captured_variables(lambda state: discover_writes_then_run(run, state))


def stop_gradient(variable: Any) -> tf.Tensor:
    """`raw.StopGradient`."""
    return raw.StopGradient(input=variable)
