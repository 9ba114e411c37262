"""Array manipulation: shapes, axes, joining, splitting, padding, repetition."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from keras_fn_jax.op_jit import compile_op

stack = compile_op(jnp.stack)


def reshape(x: jax.Array, newshape: Any) -> jax.Array:
    """JAX names the argument otherwise."""
    return jnp.reshape(x, newshape)


@compile_op
def split(x: jax.Array, indices_or_sections: Any, axis: int = 0) -> list[jax.Array]:
    """Indices may lie beyond the end, as in NumPy."""
    if not isinstance(indices_or_sections, int):
        places = range(x.shape[axis])
        indices_or_sections = [len(places[: int(i)]) for i in indices_or_sections]
    return jnp.split(x, indices_or_sections, axis)


def tile(x: jax.Array, repeats: Any) -> jax.Array:
    """JAX names the argument otherwise."""
    return jnp.tile(x, repeats)


@compile_op
def repeat(x: jax.Array, repeats: Any, axis: int | None = None) -> jax.Array:
    """Counts may be a list, which JAX does not take."""
    return jnp.repeat(x, np.asarray(repeats), axis)


def unstack(x: jax.Array, num: int | None = None, axis: int = 0) -> list[jax.Array]:
    """The slices along an axis."""
    del num
    return list(jnp.moveaxis(x, axis, 0))


@compile_op
def pad_nd(x: jax.Array, widths: Any, mode: str, value: float) -> jax.Array:
    """`jnp.pad`, which takes a value in mode "constant" only."""
    options = {"constant_values": value} if mode == "constant" else {}
    return jnp.pad(x, widths, mode=mode, **options)
