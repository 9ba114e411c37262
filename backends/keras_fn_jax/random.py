"""Stateless random numbers: a key of two integers names the draw."""

from typing import Any

import jax
import jax.numpy as jnp

from keras_fn_jax.tensors import _native


def _key(seed: jax.Array) -> jax.Array:
    return jax.random.wrap_key_data(jnp.asarray(seed, "uint32"), impl="threefry2x32")


def random_uniform(shape: Any, dtype: str, seed: jax.Array) -> jax.Array:
    """Floats in [0, 1)."""
    return jax.random.uniform(_key(seed), shape, _native(dtype))


def random_normal(shape: Any, dtype: str, seed: jax.Array) -> jax.Array:
    """Standard normal floats."""
    return jax.random.normal(_key(seed), shape, _native(dtype))


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: jax.Array) -> jax.Array:
    """Integers in [minval, maxval)."""
    return jax.random.randint(_key(seed), shape, minval, maxval, _native(dtype))


def random_gamma(shape: Any, alpha: jax.Array, dtype: str, seed: jax.Array) -> jax.Array:
    """Gamma floats, of parameters from 1 on that broadcast."""
    return jax.random.gamma(_key(seed), alpha, shape, _native(dtype))


def random_binomial(
    shape: Any, counts: jax.Array, probabilities: jax.Array, dtype: str, seed: jax.Array
) -> jax.Array:
    """Numbers of successes; parameters broadcast."""
    return jax.random.binomial(_key(seed), counts, probabilities, shape, _native(dtype))
