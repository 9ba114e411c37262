"""Ops that write into a copy, and reductions over segments."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from keras_fn_jax.tensors import _native

_METHODS = {None: "set", "add": "add", "max": "max", "min": "min"}


def scatter_update(
    inputs: jax.Array, indices: jax.Array, updates: jax.Array, reduction: str | None = None
) -> jax.Array:
    """`inputs.at[indices]`; rows out of range are dropped."""
    updates = updates.astype(inputs.dtype)
    if inputs.dtype == bool and reduction == "add":
        reduction = "max"
    if reduction == "mul":
        return _multiplied(inputs, indices, updates)
    at = inputs.at[tuple(jnp.moveaxis(indices, -1, 0))]
    return getattr(at, _METHODS[reduction])(updates, mode="drop")


def _multiplied(inputs: jax.Array, indices: jax.Array, updates: jax.Array) -> jax.Array:
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


def _segment(function: Any) -> Any:
    def reduce(
        data: jax.Array,
        segment_ids: jax.Array,
        num_segments: int | None = None,
        sorted: bool = False,
    ) -> jax.Array:
        if num_segments is None:
            num_segments = int(jnp.max(segment_ids, initial=-1)) + 1
        # Numbers below 0 are left out, as those that are too large are.
        ids = jnp.where(segment_ids < 0, num_segments, segment_ids)
        return function(data, ids, num_segments, indices_are_sorted=sorted, mode="drop")

    return reduce


@partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3, 4))
def _product(data: Any, ids: Any, num_segments: int, indices_are_sorted: bool, mode: Any) -> Any:
    return jax.ops.segment_prod(
        data, ids, num_segments, indices_are_sorted=indices_are_sorted, mode=mode
    )


@_product.defjvp  # pyright: ignore[reportFunctionMemberAccess]
def _product_jvp(
    ids: Any, num_segments: int, indices_are_sorted: bool, mode: Any, primals: Any, tangents: Any
) -> Any:
    """JAX has no derivative of it: for each element it is the product of the others."""
    (data,), (tangent,) = primals, tangents
    is_zero = data == 0
    run = partial(
        _product,
        ids=ids,
        num_segments=num_segments,
        indices_are_sorted=indices_are_sorted,
        mode=mode,
    )
    nonzero = run(jnp.where(is_zero, 1, data))
    zeros = jax.ops.segment_sum(is_zero.astype("int32"), ids, num_segments, mode=mode)
    here = jnp.minimum(ids, num_segments - 1)
    others = nonzero[here] / jnp.where(is_zero, 1, data)
    others = jnp.where(zeros[here] - is_zero > 0, 0, others)
    slope = jax.ops.segment_sum(others * tangent, ids, num_segments, mode=mode)
    return run(data), slope


def _prod(data: Any, ids: Any, num_segments: int, indices_are_sorted: bool, mode: Any) -> Any:
    return _product(data, ids, num_segments, indices_are_sorted, mode)


segment_sum = _segment(jax.ops.segment_sum)
segment_max = _segment(jax.ops.segment_max)
segment_min = _segment(jax.ops.segment_min)
segment_prod = _segment(_prod)


def dynamic_slice(inputs: jax.Array, starts: Any, sizes: Any) -> jax.Array:
    """`lax.dynamic_slice`, for which a negative start would count from the end."""
    return lax.dynamic_slice(inputs, [jnp.maximum(start, 0) for start in starts], sizes)


def dynamic_slice_update(inputs: jax.Array, starts: Any, updates: jax.Array) -> jax.Array:
    """`lax.dynamic_update_slice`, likewise."""
    return lax.dynamic_update_slice(inputs, updates, [jnp.maximum(start, 0) for start in starts])


def view(x: jax.Array, dtype: Any = None) -> jax.Array:
    """`x.view`."""
    return x if dtype is None else x.view(_native(dtype))


def nonzero(x: jax.Array) -> tuple[jax.Array, ...]:
    """Indices as int32, also where JAX has 64 bits."""
    return tuple(i.astype("int32") for i in jnp.nonzero(x))
