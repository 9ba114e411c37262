"""Array manipulation: shapes, axes, joining, splitting, padding, repetition."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from keras_fn_jax.op_jit import compile_op

stack = compile_op(jnp.stack)


def reshape(x: jax.Array, newshape: Any) -> jax.Array:
    """`jnp.reshape`."""
    return jnp.reshape(x, newshape)


@compile_op
def split(x: jax.Array, indices_or_sections: Any, axis: int = 0) -> list[jax.Array]:
    """`jnp.split`; indices beyond the end are clipped, as in NumPy."""
    if not isinstance(indices_or_sections, int):
        positions = range(x.shape[axis])
        indices_or_sections = [len(positions[: int(i)]) for i in indices_or_sections]
    return jnp.split(x, indices_or_sections, axis)


def tile(x: jax.Array, repeats: Any) -> jax.Array:
    """`jnp.tile`."""
    return jnp.tile(x, repeats)


@compile_op
def repeat(x: jax.Array, repeats: Any, axis: int | None = None) -> jax.Array:
    """`jnp.repeat`; converts a list of counts, which JAX does not accept."""
    return jnp.repeat(x, np.asarray(repeats), axis)


def unstack(x: jax.Array, num: int | None = None, axis: int = 0) -> list[jax.Array]:
    """Returns the slices along an axis."""
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"{num} slices of {x.shape}")
    return list(jnp.moveaxis(x, axis, 0))


@compile_op
def pad_nd(x: jax.Array, widths: Any, mode: str, value: float) -> jax.Array:
    """`jnp.pad`, which accepts a value in mode "constant" only."""
    options = {"constant_values": value} if mode == "constant" else {}
    return jnp.pad(x, widths, mode=mode, **options)
