"""Functions of JAX, and modules of Flax, as layers."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from keras_fn._lazy import LazyModule

_flax: Any = LazyModule("flax.core", pip="flax")


def flatten_pytree(values: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Returns the leaves of a pytree, of registered classes too, and the function that nests them.

    That function returns the pytree of other leaves.
    """
    leaves, definition = jax.tree_util.tree_flatten(values)
    return leaves, definition.unflatten


def call_jax(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Calls the function: tensors are arrays of JAX."""
    return function(*arguments)


def wrap_jax(
    function: Callable[..., Any], platforms: Sequence[str] | None = None
) -> Callable[..., Any]:
    """Returns the function: it takes arrays of JAX, and has no other form for some platforms."""
    del platforms
    return function


def flax_collections_but(name: str) -> Any:
    """Returns the `mutable` argument of Flax for all collections of variables but one.

    Raises:
        ImportError: Flax is not installed.
    """
    return _flax.DenyList([name])
