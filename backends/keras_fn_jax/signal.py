"""Discrete Fourier transforms of pairs of real tensors."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

_NARROW = (jnp.float16, jnp.bfloat16)


def _wide(x: jax.Array) -> jax.Array:
    return x.astype("float32") if x.dtype in _NARROW else x


def _complex(x: Any) -> jax.Array:
    if not isinstance(x, (list, tuple)):
        raise TypeError("a pair is needed")
    real, imaginary = map(_wide, x)
    if real.shape[-1] == 0:
        raise ValueError("JAX would transform nothing")
    return lax.complex(real, imaginary)


def _parts(x: jax.Array, dtype: Any) -> tuple[jax.Array, jax.Array]:
    return lax.real(x).astype(dtype), lax.imag(x).astype(dtype)


def fft(x: Any) -> tuple[jax.Array, jax.Array]:
    """`jnp.fft.fft`."""
    return _parts(jnp.fft.fft(_complex(x)), x[0].dtype)


def rfft(x: jax.Array, fft_length: int | None = None) -> tuple[jax.Array, jax.Array]:
    """`jnp.fft.rfft`."""
    return _parts(jnp.fft.rfft(_wide(x), fft_length), x.dtype)


def irfft(x: Any, fft_length: int | None = None) -> jax.Array:
    """`jnp.fft.irfft`."""
    if fft_length is None and x[0].shape[-1] == 1:
        raise ValueError("JAX would transform nothing")
    return jnp.fft.irfft(_complex(x), fft_length).astype(x[0].dtype)
