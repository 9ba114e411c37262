"""Elementwise arithmetic and mathematical functions."""

import jax
import jax.numpy as jnp


def round(x: jax.Array, decimals: int = 0) -> jax.Array:
    """`jnp.round`; JAX does not round integers to tens."""
    if decimals >= 0 or not jnp.issubdtype(x.dtype, jnp.integer):
        return x if x.dtype == bool else jnp.round(x, decimals)
    step = 10**-decimals
    if step > jnp.iinfo(x.dtype).max:
        return jnp.zeros_like(x)
    whole, rest = jnp.divmod(x, step)
    up = (rest > step // 2) | ((rest == step // 2) & (whole % 2 == 1))  # halves to even
    return (whole + up) * step


def floor(x: jax.Array) -> jax.Array:
    """`jnp.floor`."""
    return jnp.floor(x)


def ceil(x: jax.Array) -> jax.Array:
    """`jnp.ceil`."""
    return jnp.ceil(x)
