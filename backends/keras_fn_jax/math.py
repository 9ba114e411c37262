"""Elementwise arithmetic and mathematical functions."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


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


@jax.jit
def absolute(x: jax.Array) -> jax.Array:
    """`jnp.abs` with gradient 0 at 0, as on the other backends; JAX's is 1."""
    return jnp.abs(x) if x.dtype.kind in "bu" else jnp.where(x == 0, 0, jnp.abs(x))


@jax.jit
def arctan2(x1: Any, x2: Any) -> jax.Array:
    """`jnp.arctan2` with gradient 0 at the origin, where JAX's is NaN."""
    origin = (x1 == 0) & (x2 == 0)
    value = lax.stop_gradient(jnp.arctan2(x1, x2))
    return jnp.where(origin, value, jnp.arctan2(x1, jnp.where(origin, 1, x2)))


def _without_slope_at_infinity(function: Any) -> Any:
    """Returns a function of two arrays with gradient 0 at equal infinities, where JAX's is NaN."""

    def call(x1: Any, x2: Any) -> jax.Array:
        singular = (x1 == x2) & jnp.isinf(x1)
        result = function(jnp.where(singular, 0, x1), jnp.where(singular, 0, x2))
        return jnp.where(singular, lax.stop_gradient(x1), result)

    return jax.jit(call)


logaddexp, logaddexp2 = map(_without_slope_at_infinity, (jnp.logaddexp, jnp.logaddexp2))


def power(x1: Any, x2: Any) -> jax.Array:
    """`jnp.power`; the gradient of `x ** 0` at 0 is 0, where JAX's is NaN."""
    if type(x2) in (int, float) and x2:
        return jnp.power(x1, x2)
    return _power(x1, x2)


@jax.jit
def _power(x1: Any, x2: Any) -> jax.Array:
    return jnp.power(jnp.where((x1 == 0) & (x2 == 0), 1, x1), x2)


def sign(x: jax.Array) -> jax.Array:
    """`jnp.sign`; a boolean is its own sign."""
    return x if x.dtype == bool else jnp.sign(x)


@jax.custom_jvp
def nextafter(x1: Any, x2: Any) -> jax.Array:
    """`jnp.nextafter`, with the gradient that JAX lacks."""
    return jnp.nextafter(x1, x2)


@nextafter.defjvp  # pyright: ignore[reportFunctionMemberAccess]
def _nextafter_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    result = jnp.nextafter(*primals)
    return result, jnp.broadcast_to(tangents[0], result.shape)
