"""Branches and loops that are put into a graph, and transformations of functions."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_fn.core.captured_variables import Carried, carried
from keras_fn.core.scopes import StatelessScope, context
from keras_fn.errors import SpecError
from keras_fn_tensorflow.functions import trace


def is_traced(x: Any) -> bool:
    """Whether a graph is being made, in which `x` has no value yet."""
    return not tf.executing_eagerly() and tf.is_tensor(x)


def staged(run: Callable[[Carried], tuple[Any, Any]]) -> Any:
    """`carried`, whose trial runs in a graph that is thrown away: a loop may have effects.

    Outside of a StatelessScope the variables are TensorFlow's, which are assigned in place.
    """
    if context.now.stateless is None:
        return run(Carried())[1]

    return carried(lambda state: _tried(run, state))


def _tried(run: Callable[[Carried], Any], state: Carried) -> tuple[Any, Any]:
    if not state.variables:
        trace(run, state)
        if state.written:
            return [], None
    return run(state)


def pure(state: Carried, function: Callable[..., Any]) -> Callable[..., tuple[list[Any], Any]]:
    if context.now.stateless is None:
        return lambda values, *args: ([], function(*args))
    return state.pure(function)


def switch(index: Any, functions: Sequence[Callable[[], Any]]) -> list[Any]:
    """`tf.switch_case`."""

    def run(state: Carried) -> tuple[Any, Any]:
        values = state.values
        branches = [pure(state, f) for f in functions]
        return tf.switch_case(index, [lambda f=f: f(values) for f in branches])

    return staged(run)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    leaves: Sequence[Any],
    maximum_iterations: Any = None,
) -> list[Any]:
    """`tf.while_loop`."""

    def run(state: Carried) -> tuple[Any, Any]:
        test, step = pure(state, cond), pure(state, body)
        return tf.while_loop(
            lambda values, leaves: test(values, leaves)[1],
            step,
            (state.values, list(leaves)),
            maximum_iterations=maximum_iterations,
        )

    return staged(run)


def fori_loop(lower: Any, upper: Any, body: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """A `tf.while_loop` that counts."""
    known = isinstance(lower, int) and isinstance(upper, int)
    rounds = max(upper - lower, 0) if known else None
    state = [tf.cast(lower, tf.int32), *leaves]
    return while_loop(
        lambda s: s[0] < tf.cast(upper, tf.int32),
        lambda s: [s[0] + 1, *body(s[0], s[1:])],
        state,
        rounds,
    )[1:]


def vectorized_map(function: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """`tf.vectorized_map`."""
    try:
        return tf.vectorized_map(function, list(leaves))
    except Exception as error:
        if isinstance(error.__context__, SpecError):  # AutoGraph wraps errors of the function
            raise error.__context__ from None
        raise


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[Any]
) -> list[Any]:
    """`tf.custom_gradient`."""

    @tf.custom_gradient
    def both(*leaves: Any) -> tuple[Any, Any]:
        results, pull = function(leaves)
        return results, lambda *upstream: pull(upstream)

    return list(both(*leaves))


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """A `tf.autodiff.ForwardAccumulator`."""
    primals = [tf.identity(x) for x in primals]  # the same tensor may come twice
    with tf.autodiff.ForwardAccumulator(primals, list(tangents)) as forward:
        results = function(*primals)
    results, *aux = results if has_aux else (results,)
    zeros = tf.UnconnectedGradients.ZERO
    return results, forward.jvp(results, unconnected_gradients=zeros), *aux


def remat(function: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """`tf.recompute_grad`, with what a StatelessScope holds among the arguments.

    It finds the gradients of its arguments and of TensorFlow's variables, not of other tensors
    that the function closes over.
    """
    outer = context.now.stateless
    held = {} if outer is None else dict(outer.state)

    def run(state: Carried) -> tuple[Any, Any]:
        step = state.pure(function)
        now = [tf.convert_to_tensor(v) for v in state.values]  # the second run needs these, too
        first, last = len(now), len(now) + len(leaves)

        def inner(*tensors: Any) -> Any:
            scope = StatelessScope()
            scope.state = dict(zip(held, tensors[last:], strict=True))
            with scope:
                return step(list(tensors[:first]), list(tensors[first:last]))

        return tf.recompute_grad(inner)(*now, *leaves, *held.values())

    return carried(lambda state: _tried(run, state))
