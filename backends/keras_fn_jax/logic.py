"""Comparisons, logical operators and tests of elements."""

from typing import Any

import jax
import jax.numpy as jnp


def where(condition: jax.Array, x1: Any = None, x2: Any = None) -> Any:
    """`jnp.where`; of the condition alone, the indices where it is True."""
    return jnp.where(condition, x1, x2)
