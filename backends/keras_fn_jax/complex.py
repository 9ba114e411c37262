"""Conversion between complex tensors and pairs of real numbers."""

import jax
import jax.numpy as jnp
from jax import lax


def view_as_complex(x: jax.Array) -> jax.Array:
    """Views pairs along the last axis as complex numbers."""
    if x.shape[-1:] != (2,):
        raise ValueError(f"Shape {x.shape} does not end in pairs.")
    return lax.complex(x[..., 0], x[..., 1])


def view_as_real(x: jax.Array) -> jax.Array:
    """Views complex numbers as pairs along a new last axis."""
    return jnp.stack((jnp.real(x), jnp.imag(x)), axis=-1)
