"""Vectorized map: a function over the slices of the first axis."""

from collections.abc import Callable, Sequence
from typing import Any

import jax


def vectorized_map(function: Callable[..., Any], leaves: Sequence[jax.Array]) -> list[jax.Array]:
    """`jax.vmap`."""
    return jax.vmap(function)(list(leaves))
