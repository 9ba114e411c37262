"""Activation functions."""

import jax
import jax.numpy as jnp

from keras_fn_jax.dtype_fallback import in_float32, promote_to_float
from keras_fn_jax.op_jit import compile_op

# Compiled: each consists of several primitives or has a custom gradient, slow when run eagerly.
elu, relu, selu, softplus = map(jax.jit, (jax.nn.elu, jax.nn.relu, jax.nn.selu, jax.nn.softplus))

gelu, softmax = map(compile_op, (jax.nn.gelu, in_float32(jax.nn.softmax)))

log_softmax = compile_op(promote_to_float(in_float32(jax.nn.log_softmax)))

silu = compile_op(promote_to_float(jax.nn.silu))


@jax.jit
def relu6(x: jax.Array) -> jax.Array:
    """`jax.nn.relu6` for all dtypes: JAX's own casts integers to floats."""
    return jnp.minimum(jax.nn.relu(x), 6)
