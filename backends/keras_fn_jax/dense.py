"""Products of 8-bit integers."""

import jax
import jax.numpy as jnp


def int8_matmul(x1: jax.Array, x2: jax.Array) -> jax.Array:
    """`jnp.matmul` of 8-bit integers, which XLA has kernels for."""
    return jnp.matmul(x1, x2, preferred_element_type=jnp.int32)


def int8_einsum(subscripts: str, *operands: jax.Array) -> jax.Array:
    """`jnp.einsum` of 8-bit integers, which XLA has kernels for."""
    return jnp.einsum(subscripts, *operands, preferred_element_type=jnp.int32)
