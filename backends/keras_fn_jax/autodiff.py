"""Custom gradients, forward-mode derivatives, rematerialization."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from keras_fn.core.captured_variables import CapturedVariables, with_captured_variables


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[jax.Array]
) -> list[jax.Array]:
    """`jax.custom_gradient`."""

    def with_vjp(*leaves: jax.Array) -> tuple[Any, Any]:
        results, vjp = function(leaves)
        return results, lambda upstream: tuple(vjp(upstream))

    return jax.custom_gradient(with_vjp)(*leaves)


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """`jax.jvp`."""
    return jax.jvp(function, primals, tangents, has_aux=has_aux)


def remat(function: Callable[[], Any], leaves: Sequence[jax.Array]) -> list[jax.Array]:
    """`jax.checkpoint`; gradients flow to captured values, too."""

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        return jax.checkpoint(state.functionalize(function))(state.values, list(leaves))

    return with_captured_variables(run)
