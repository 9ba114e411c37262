"""Scatter: a copy of a tensor with updates at indices."""

import jax
import jax.numpy as jnp

from keras_fn_jax.segments import segment_prod

_METHODS = {None: "set", "add": "add", "max": "max", "min": "min"}


def scatter_update(
    inputs: jax.Array, indices: jax.Array, updates: jax.Array, reduction: str | None = None
) -> jax.Array:
    """`inputs.at[indices]`; rows out of range are dropped."""
    updates = updates.astype(inputs.dtype)
    if inputs.dtype == bool and reduction == "add":
        reduction = "max"
    if reduction == "mul":
        return _scatter_multiply(inputs, indices, updates)
    at = inputs.at[tuple(jnp.moveaxis(indices, -1, 0))]
    return getattr(at, _METHODS[reduction])(updates, mode="drop")


def _scatter_multiply(inputs: jax.Array, indices: jax.Array, updates: jax.Array) -> jax.Array:
    """Times the product of the updates of each place: JAX has no gradient of the scatter."""
    depth = indices.shape[-1]
    sizes = inputs.shape[:depth]
    places, total = jnp.zeros(indices.shape[:-1], "int32"), 1
    outside = jnp.zeros(indices.shape[:-1], bool)
    for axis, size in enumerate(sizes):
        index = indices[..., axis]
        index = jnp.where(index < 0, index + size, index)
        outside |= (index < 0) | (index >= size)
        places, total = places * size + index, total * size
    places = jnp.where(outside, -1, places)
    rest = inputs.shape[depth:]
    updates = jnp.broadcast_to(updates, (*indices.shape[:-1], *rest))
    factors = segment_prod(updates.reshape(-1, *rest), places.ravel(), total)
    return inputs * factors.reshape(inputs.shape)
