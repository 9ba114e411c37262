"""Branches and loops that are put into a graph, and transformations of functions."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_fn.core.carrying import Carried, carried
from keras_fn.core.scopes import StatelessScope, context
from keras_fn_tensorflow.functions import trace


def is_traced(x: Any) -> bool:
    """Whether a graph is being made, in which `x` has no value yet."""
    return not tf.executing_eagerly() and tf.is_tensor(x)


def _carried(run: Callable[[Carried], tuple[Any, Any]]) -> Any:
    """`carried`, whose trial runs in a graph that is thrown away: a loop may have effects.

    Outside of a StatelessScope the variables are TensorFlow's, which are assigned in place.
    """
    if context.get().stateless is None:
        return run(Carried())[1]

    def tried(state: Carried) -> tuple[Any, Any]:
        if not state.variables:
            trace(run, state)
            if state.written:
                return [], None
        return run(state)

    return carried(tried)


def _pure(state: Carried, function: Callable[..., Any]) -> Callable[..., tuple[list[Any], Any]]:
    if context.get().stateless is None:
        return lambda values, *args: ([], function(*args))
    return state.pure(function)


def switch(index: Any, functions: Sequence[Callable[[], Any]]) -> list[Any]:
    """`tf.switch_case`."""

    def run(state: Carried) -> tuple[Any, Any]:
        values = state.values
        branches = [_pure(state, f) for f in functions]
        return tf.switch_case(index, [lambda f=f: f(values) for f in branches])

    return _carried(run)


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], leaves: Sequence[Any],
    maximum_iterations: Any = None,
) -> list[Any]:  # fmt: skip
    """`tf.while_loop`."""

    def run(state: Carried) -> tuple[Any, Any]:
        test, step = _pure(state, cond), _pure(state, body)
        return tf.while_loop(
            lambda values, leaves: test(values, leaves)[1],
            step,
            (state.values, list(leaves)),
            maximum_iterations=maximum_iterations,
        )

    return _carried(run)


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
    return tf.vectorized_map(function, list(leaves))


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[Any]
) -> list[Any]:
    """`tf.custom_gradient`."""

    @tf.custom_gradient
    def both(*leaves: Any) -> tuple[Any, Any]:
        results, pull = function(leaves)
        return results, lambda *upstream: pull(upstream)

    return both(*leaves)


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """A `tf.autodiff.ForwardAccumulator`."""
    with tf.autodiff.ForwardAccumulator(list(primals), list(tangents)) as forward:
        results = function(*primals)
    results, *aux = results if has_aux else (results,)
    zeros = tf.UnconnectedGradients.ZERO
    return results, forward.jvp(results, unconnected_gradients=zeros), *aux


def remat(function: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """`tf.recompute_grad`, with what a StatelessScope holds among the arguments.

    It finds the gradients of its arguments and of TensorFlow's variables, not of other tensors
    that the function closes over.
    """
    outer = context.get().stateless
    held = {} if outer is None else dict(outer.state)
    count = len(leaves)

    def run(state: Carried) -> tuple[Any, Any]:
        step = state.pure(function)

        def inner(*tensors: Any) -> Any:
            scope = StatelessScope()
            scope.state = dict(zip(held, tensors[count:], strict=True))
            with scope:
                values = [scope.state.get(id(v), v.value) for v in state.variables]
                return step(values, list(tensors[:count]))

        values, results = tf.recompute_grad(inner)(*leaves, *held.values())
        return values, results

    if outer is None and not tf.executing_eagerly():
        return carried(lambda state: _tried(run, state))
    return carried(run)


def _tried(run: Callable[[Carried], Any], state: Carried) -> tuple[Any, Any]:
    if not state.variables:
        trace(run, state)
        if state.written:
            return [], None
    return run(state)
