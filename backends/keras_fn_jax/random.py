"""Stateless random numbers: a key of two integers determines the sample."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from keras_fn_jax.tensors import native_dtype


def prng_key(seed: jax.Array) -> jax.Array:
    return jax.random.wrap_key_data(jnp.asarray(seed, "uint32"), impl="threefry2x32")


def random_uniform(shape: Any, dtype: str, seed: jax.Array) -> jax.Array:
    """Uniform floats in [0, 1)."""
    return jax.random.uniform(prng_key(seed), shape, native_dtype(dtype))


def random_normal(shape: Any, dtype: str, seed: jax.Array) -> jax.Array:
    """Standard normal floats."""
    return jax.random.normal(prng_key(seed), shape, native_dtype(dtype))


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: jax.Array) -> jax.Array:
    """Uniform integers in [minval, maxval)."""
    if dtype == "uint32" and isinstance(maxval, int) and maxval > 2**31 - 1:
        bits = jax.random.bits(prng_key(seed), shape, "uint32")  # JAX takes limits as int32
        width = maxval - int(minval)
        return bits % np.uint32(width) + np.uint32(minval) if width < 2**32 else bits
    return jax.random.randint(prng_key(seed), shape, minval, maxval, native_dtype(dtype))


def random_gamma(shape: Any, alpha: jax.Array, dtype: str, seed: jax.Array) -> jax.Array:
    """Gamma samples; `alpha` is at least 1 and broadcasts."""
    return _gamma(prng_key(seed), jnp.broadcast_to(alpha, shape).astype(native_dtype(dtype)))


@jax.jit
def _gamma(key: jax.Array, alpha: jax.Array) -> jax.Array:
    """Rejection sampling by Marsaglia and Tsang, for all elements at once.

    `jax.random.gamma` samples each element separately, which takes seconds to compile.
    """
    d = alpha - 1 / 3
    c = jax.lax.rsqrt(9 * d)

    def attempt(state: Any) -> Any:
        key, result, accepted = state
        key, *keys = jax.random.split(key, 3)
        x = jax.random.normal(keys[0], alpha.shape, alpha.dtype)
        u = jax.random.uniform(keys[1], alpha.shape, alpha.dtype)
        v = (1 + c * x) ** 3
        fits = jnp.log(u) < x * x / 2 + d * (1 - v + jnp.log(v))  # NaN (rejected) where v < 0
        return key, jnp.where(accepted, result, d * v), accepted | fits

    # Parameters that are not finite are returned unchanged.
    state = (key, alpha, ~jnp.isfinite(alpha))
    return jax.lax.while_loop(lambda state: ~state[2].all(), attempt, state)[1]


def random_binomial(
    shape: Any, counts: jax.Array, probabilities: jax.Array, dtype: str, seed: jax.Array
) -> jax.Array:
    """Binomial samples; the parameters broadcast."""
    return jax.random.binomial(prng_key(seed), counts, probabilities, shape, native_dtype(dtype))
