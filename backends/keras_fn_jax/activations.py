"""Activation functions."""

import jax
import jax.numpy as jnp

from keras_fn_jax.dtype_fallback import promote_to_float
from keras_fn_jax.op_jit import compile_op

# Of several primitives, or with a gradient of their own: slow to call one by one.
elu, relu, selu, softplus = map(jax.jit, (jax.nn.elu, jax.nn.relu, jax.nn.selu, jax.nn.softplus))

gelu, softmax = map(compile_op, (jax.nn.gelu, jax.nn.softmax))

log_softmax, silu = (compile_op(promote_to_float(f)) for f in (jax.nn.log_softmax, jax.nn.silu))


@jax.jit
def relu6(x: jax.Array) -> jax.Array:
    """That of JAX makes floats of integers."""
    return jnp.minimum(jax.nn.relu(x), 6)
