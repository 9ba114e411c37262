"""Reductions, and cumulative sums and products."""

from typing import Any

import jax
import jax.numpy as jnp

from keras_fn_jax.dtype_fallback import in_float32
from keras_fn_jax.op_jit import compile_op
from keras_fn_jax.tensors import cast


def max(x: jax.Array, axis: Any = None, keepdims: bool = False, initial: Any = None) -> jax.Array:
    """`jnp.max` with `initial`."""
    return jnp.max(x, axis=axis, keepdims=keepdims, initial=initial)


def min(x: jax.Array, axis: Any = None, keepdims: bool = False, initial: Any = None) -> jax.Array:
    """`jnp.min` with `initial`."""
    return jnp.min(x, axis=axis, keepdims=keepdims, initial=initial)


def prod(x: jax.Array, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> jax.Array:
    """`jnp.prod`, computed in `dtype`; JAX would widen small integers."""
    return _prod(x if dtype is None else cast(x, dtype), axis=axis, keepdims=keepdims)


@in_float32
def _prod(x: jax.Array, axis: Any, keepdims: bool) -> jax.Array:
    return jnp.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def _reduction(function: Any) -> Any:
    """Adapts the argument order: the third argument of JAX's function is not `keepdims`."""

    def reduce(x: jax.Array, axis: Any = None, keepdims: bool = False) -> jax.Array:
        return function(x, axis=axis, keepdims=keepdims)

    return reduce


mean, sum = map(_reduction, (jnp.mean, jnp.sum))

all, any = (compile_op(_reduction(f)) for f in (jnp.all, jnp.any))

logsumexp = compile_op(_reduction(jax.scipy.special.logsumexp))


@compile_op
def argmax(x: jax.Array, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Returns the index as int32."""
    return jnp.argmax(x, axis=axis, keepdims=keepdims).astype("int32")


@compile_op
def argmin(x: jax.Array, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Returns the index as int32."""
    return jnp.argmin(x, axis=axis, keepdims=keepdims).astype("int32")


def _cumulative(function: Any) -> Any:
    accumulate = in_float32(function)

    def run(x: jax.Array, axis: int | None = None, dtype: Any = None) -> jax.Array:
        return accumulate(x if dtype is None else cast(x, dtype), axis)

    return run


cumsum, cumprod = map(_cumulative, (jnp.cumsum, jnp.cumprod))
