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
    if jnp.issubdtype(indices.dtype, jnp.floating):
        indices = indices.astype("int32")
    if inputs.dtype == bool and reduction == "add":
        reduction = "max"
    if reduction == "mul":
        return _scatter_multiply(inputs, indices, updates)
    at = inputs.at[tuple(jnp.moveaxis(indices, -1, 0))]
    return getattr(at, _METHODS[reduction])(updates, mode="drop")


def _scatter_multiply(inputs: jax.Array, indices: jax.Array, updates: jax.Array) -> jax.Array:
    """Multiplies by the product of the updates of each row: JAX's scatter has no gradient."""
    depth = indices.shape[-1]
    sizes = inputs.shape[:depth]
    linear, row_count = jnp.zeros(indices.shape[:-1], "int32"), 1
    outside = jnp.zeros(indices.shape[:-1], bool)
    for axis, size in enumerate(sizes):
        index = indices[..., axis]
        index = jnp.where(index < 0, index + size, index)
        outside |= (index < 0) | (index >= size)
        linear, row_count = linear * size + index, row_count * size
    linear = jnp.where(outside, -1, linear)
    trailing = inputs.shape[depth:]
    updates = jnp.broadcast_to(updates, (*indices.shape[:-1], *trailing))
    factors = segment_prod(updates.reshape(-1, *trailing), linear.ravel(), row_count)
    return inputs * factors.reshape(inputs.shape)
