"""Reductions with more options, places in an order, complex numbers."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from keras_fn_jax.tensors import cast


def max(x: jax.Array, axis: Any = None, keepdims: bool = False, initial: Any = None) -> jax.Array:
    """JAX's third argument is another."""
    return jnp.max(x, axis=axis, keepdims=keepdims, initial=initial)


def min(x: jax.Array, axis: Any = None, keepdims: bool = False, initial: Any = None) -> jax.Array:
    """As `max`."""
    return jnp.min(x, axis=axis, keepdims=keepdims, initial=initial)


def prod(x: jax.Array, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> jax.Array:
    """As `max`; computes in `dtype`, where JAX would widen small integers."""
    x = x if dtype is None else cast(x, dtype)
    return jnp.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def round(x: jax.Array, decimals: int = 0) -> jax.Array:
    """`jnp.round`, which refuses to round integers to tens."""
    if decimals >= 0 or not jnp.issubdtype(x.dtype, jnp.integer):
        return x if x.dtype == bool else jnp.round(x, decimals)
    step = 10**-decimals
    if step > jnp.iinfo(x.dtype).max:
        return jnp.zeros_like(x)
    whole, rest = jnp.divmod(x, step)
    up = (rest > step // 2) | ((rest == step // 2) & (whole % 2 == 1))  # halves: to the even one
    return (whole + up) * step


def searchsorted(sorted_sequence: jax.Array, values: jax.Array, side: str = "left") -> jax.Array:
    """`jnp.searchsorted`."""
    return jnp.searchsorted(sorted_sequence, values, side=side)


def view_as_complex(x: jax.Array) -> jax.Array:
    """Pairs as complex numbers."""
    if x.shape[-1:] != (2,):
        raise ValueError(f"Shape {x.shape} does not end in pairs.")
    return lax.complex(x[..., 0], x[..., 1])


def view_as_real(x: jax.Array) -> jax.Array:
    """Complex numbers as pairs."""
    return jnp.stack((jnp.real(x), jnp.imag(x)), axis=-1)
