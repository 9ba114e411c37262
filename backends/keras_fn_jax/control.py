"""Branches and loops that are put into a graph, and transformations of functions."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer

from keras_fn.core.captured_variables import Carried, carried

Array = Any


def is_traced(x: Any) -> bool:
    """Whether Python cannot know the value: not so of what `jax.grad` follows outside of jit."""
    if not isinstance(x, Tracer):
        return False
    try:
        bool(jnp.any(x))
    except jax.errors.JAXTypeError:
        return True
    return False


def switch(index: Array, functions: Sequence[Callable[[], Any]]) -> list[Array]:
    """`lax.switch`."""

    def run(state: Carried) -> tuple[Any, Any]:
        return lax.switch(index, [state.pure(f) for f in functions], state.values)

    return carried(run)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    leaves: Sequence[Array],
    maximum_iterations: Any = None,
) -> list[Array]:
    """`lax.while_loop`, which has no gradient backwards: the number of rounds is not known."""

    def run(state: Carried) -> tuple[Any, Any]:
        test, step = state.pure(cond), state.pure(body)

        def goes_on(loop: Any) -> Any:
            rounds, values, leaves = loop
            _, holds = test(values, leaves)
            return holds if maximum_iterations is None else holds & (rounds < maximum_iterations)

        def advance(loop: Any) -> Any:
            rounds, values, leaves = loop
            return (rounds + 1, *step(values, leaves))

        return lax.while_loop(goes_on, advance, (0, state.values, list(leaves)))[1:]

    return carried(run)


def fori_loop(
    lower: Any, upper: Any, body: Callable[..., Any], leaves: Sequence[Array]
) -> list[Array]:
    """`lax.fori_loop`, which has a gradient where the bounds are numbers."""

    def run(state: Carried) -> tuple[Any, Any]:
        step = state.pure(body)
        return lax.fori_loop(
            lower, upper, lambda i, loop: step(loop[0], i, loop[1]), (state.values, list(leaves))
        )

    return carried(run)


def vectorized_map(function: Callable[..., Any], leaves: Sequence[Array]) -> list[Array]:
    """`jax.vmap`."""
    return jax.vmap(function)(list(leaves))


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[Array]
) -> list[Array]:
    """`jax.custom_gradient`."""

    def both(*leaves: Array) -> tuple[Any, Any]:
        results, pull = function(leaves)
        return results, lambda upstream: tuple(pull(upstream))

    return jax.custom_gradient(both)(*leaves)


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """`jax.jvp`."""
    return jax.jvp(function, primals, tangents, has_aux=has_aux)


def remat(function: Callable[[], Any], leaves: Sequence[Array]) -> list[Array]:
    """`jax.checkpoint`; gradients flow to what the function closes over, too."""

    def run(state: Carried) -> tuple[Any, Any]:
        return jax.checkpoint(state.pure(function))(state.values, list(leaves))

    return carried(run)
