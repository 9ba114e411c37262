"""Indexing: basic and advanced subscripts, gather."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp


def getitem(x: jax.Array, key: Any) -> jax.Array:
    """`x[key]`; raises for an integer out of range, which JAX would clip."""
    for k, size in zip(key if type(key) is tuple else (key,), x.shape, strict=False):
        if type(k) is int and not -size <= k < size:
            raise IndexError(f"index {k} of {size}")
        if type(k) is not int and type(k) is not slice:
            break
    return x[key]


@partial(jax.jit, static_argnames="axis")
def take(x: jax.Array, indices: jax.Array, axis: int | None = None) -> jax.Array:
    """Clips indices out of range, as jitted code cannot raise; JAX's default fills in NaN."""
    size = x.size if axis is None else x.shape[axis]
    if not size and not indices.size:  # JAX would drop the axes of the indices
        axis, x = (0, x.ravel()) if axis is None else (axis % x.ndim, x)
        return jnp.zeros((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)
    indices = jnp.where(indices < 0, indices + size, indices)
    return jnp.take(x, indices, axis=axis, mode="clip")
