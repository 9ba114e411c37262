"""Segment reductions."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from keras_fn_jax.dtype_fallback import in_float32


def _segment(function: Any) -> Any:
    def reduce(
        data: jax.Array,
        segment_ids: jax.Array,
        num_segments: int | None = None,
        sorted: bool = False,
    ) -> jax.Array:
        if num_segments is None:
            num_segments = int(jnp.max(segment_ids, initial=-1)) + 1
        # Negative ids are dropped, as are ids that are too large.
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
    """Derivative of a product, which JAX lacks: for each element, the product of the others."""
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
    segment = jnp.minimum(ids, num_segments - 1)
    others = nonzero[segment] / jnp.where(is_zero, 1, data)
    others = jnp.where(zeros[segment] - is_zero > 0, 0, others)
    slope = jax.ops.segment_sum(others * tangent, ids, num_segments, mode=mode)
    return run(data), slope


def _prod(data: Any, ids: Any, num_segments: int, indices_are_sorted: bool, mode: Any) -> Any:
    return _product(data, ids, num_segments, indices_are_sorted, mode)


def _accumulating(reduce: Any) -> Any:
    """Sums and products: of half precision in float32, of booleans as integers."""
    wide = in_float32(reduce)

    def call(data: jax.Array, *args: Any, **options: Any) -> jax.Array:
        if data.dtype == bool:
            return reduce(data.astype("int32"), *args, **options) != 0
        return wide(data, *args, **options)

    return call


segment_sum = _accumulating(_segment(jax.ops.segment_sum))

segment_max = _segment(jax.ops.segment_max)

segment_min = _segment(jax.ops.segment_min)

segment_prod = _accumulating(_segment(_prod))
