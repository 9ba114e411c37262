"""Functions of JAX, and modules of Flax, as layers."""

from collections.abc import Callable
from typing import Any

import jax


def flatten_pytree(values: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Returns the leaves of a pytree, of registered classes too, and the function that nests them.

    That function returns the pytree of other leaves.
    """
    leaves, definition = jax.tree_util.tree_flatten(values)
    return leaves, definition.unflatten


def flax_collections_but(name: str) -> Any:
    """Returns the `mutable` argument of Flax for all collections of variables but one.

    Raises:
        ImportError: Flax is not installed.
    """
    from flax.core import DenyList

    return DenyList([name])
