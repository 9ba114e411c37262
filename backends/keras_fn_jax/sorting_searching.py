"""Sorting and searching."""

import jax
import jax.numpy as jnp
from jax import lax

from keras_fn_jax.op_jit import compile_op


def searchsorted(sorted_sequence: jax.Array, values: jax.Array, side: str = "left") -> jax.Array:
    """`jnp.searchsorted`."""
    return jnp.searchsorted(sorted_sequence, values, side=side)


def nonzero(x: jax.Array) -> tuple[jax.Array, ...]:
    """Returns indices as int32, also with 64-bit types enabled."""
    return tuple(i.astype("int32") for i in jnp.nonzero(x))


@compile_op
def sort(x: jax.Array, axis: int | None = -1) -> jax.Array:
    """`jnp.sort`."""
    return jnp.sort(x, axis=axis)


def argsort(x: jax.Array, axis: int | None = -1) -> jax.Array:
    """Stable sort; returns indices as int32."""
    return jnp.argsort(x, axis=axis, stable=True).astype("int32")


def top_k(x: jax.Array, k: int, sorted: bool = True) -> tuple[jax.Array, jax.Array]:
    """`lax.top_k`, always in descending order."""
    del sorted
    values, indices = lax.top_k(x, k)
    return values, indices
