"""Dtype fallback: functions compute in another dtype where JAX lacks the operand's."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp

from keras_fn.settings import settings

_HALF = frozenset(map(jnp.dtype, (jnp.float16, jnp.bfloat16)))


def _wide(x: Any) -> Any:
    return x.astype("float32") if isinstance(x, jax.Array) and x.dtype in _HALF else x


def is_half(x: jax.Array) -> bool:
    """Returns whether an array is of half precision."""
    return x.dtype in _HALF


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: computes half precision in float32: LAPACK lacks it, and sums need it."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        dtype = args[0].dtype
        if dtype not in _HALF:
            return function(*args, **options)
        results = function(*map(_wide, args), **options)
        return jax.tree.map(lambda x: x.astype(dtype) if x.dtype == jnp.float32 else x, results)

    return call


def promote_to_float(function: Any) -> Any:
    """Decorator: casts integers to `floatx()` for a function of floats."""

    def call(x: jax.Array, *args: Any, **kwargs: Any) -> jax.Array:
        if not jnp.issubdtype(x.dtype, jnp.floating):
            x = x.astype(settings.floatx)
        return function(x, *args, **kwargs)

    return call
