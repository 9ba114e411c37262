"""Custom gradients, forward-mode derivatives, rematerialization."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from keras_fn.core.captured_variables import CapturedVariables, with_captured_variables


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[jax.Array]
) -> list[jax.Array]:
    """`jax.custom_gradient`."""

    def both(*leaves: jax.Array) -> tuple[Any, Any]:
        results, pull = function(leaves)
        return results, lambda upstream: tuple(pull(upstream))

    return jax.custom_gradient(both)(*leaves)


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """`jax.jvp`."""
    return jax.jvp(function, primals, tangents, has_aux=has_aux)


def remat(function: Callable[[], Any], leaves: Sequence[jax.Array]) -> list[jax.Array]:
    """`jax.checkpoint`; gradients flow to what the function closes over, too."""

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        return jax.checkpoint(state.functionalize(function))(state.values, list(leaves))

    return with_captured_variables(run)
