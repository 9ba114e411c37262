"""Fused LSTM and GRU."""

from functools import partial
from typing import Any

import jax
from jax import lax, numpy as jnp


@partial(jax.jit, static_argnums=6)
def lstm(
    x: jax.Array,
    h: jax.Array,
    c: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None = None,
    go_backwards: bool = False,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """LSTM over a sequence, jitted once: a scan whose body is a closure compiles at each call."""

    def step(state: Any, z: jax.Array) -> Any:
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    (h, c), outputs = lax.scan(step, (h, c), _project_inputs(x, kernel, bias), reverse=go_backwards)
    return _to_batch_major(outputs, go_backwards), h, c


@partial(jax.jit, static_argnums=5)
def gru(
    x: jax.Array,
    h: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None = None,
    go_backwards: bool = False,
) -> tuple[jax.Array, jax.Array]:
    """GRU over a sequence, jitted once, as `lstm`."""
    bias, recurrent_bias = (None, None) if bias is None else bias

    def step(h: jax.Array, z: jax.Array) -> Any:
        r = h @ recurrent_kernel
        r = r if recurrent_bias is None else r + recurrent_bias
        z_z, z_r, z_h = jnp.split(z, 3, axis=-1)
        r_z, r_r, r_h = jnp.split(r, 3, axis=-1)
        candidate = jnp.tanh(z_h + jax.nn.sigmoid(z_r + r_r) * r_h)
        h = candidate + jax.nn.sigmoid(z_z + r_z) * (h - candidate)
        return h, h

    h, outputs = lax.scan(step, h, _project_inputs(x, kernel, bias), reverse=go_backwards)
    return _to_batch_major(outputs, go_backwards), h


def _project_inputs(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    """Input projection of all time steps in one product, time-major."""
    z = jnp.swapaxes(x @ kernel, 0, 1)
    return z if bias is None else z + bias


def _to_batch_major(outputs: jax.Array, go_backwards: bool) -> jax.Array:
    outputs = jnp.swapaxes(outputs, 0, 1)
    return jnp.flip(outputs, 1) if go_backwards else outputs
