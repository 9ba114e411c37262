"""Fused LSTM and GRU."""

from collections.abc import Callable
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
    mask: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """LSTM over a sequence, jitted once: a scan whose body is a closure compiles at each call."""

    def step(state: Any, z: jax.Array) -> Any:
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    outputs, (h, c) = _scan(step, (h, c), _project_inputs(x, kernel, bias), go_backwards, mask)
    return outputs, h, c


@partial(jax.jit, static_argnums=5)
def gru(
    x: jax.Array,
    h: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None = None,
    go_backwards: bool = False,
    mask: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """GRU over a sequence, jitted once, as `lstm`."""
    bias, recurrent_bias = (None, None) if bias is None else bias

    def step(state: Any, z: jax.Array) -> Any:
        (h,) = state
        r = h @ recurrent_kernel
        r = r if recurrent_bias is None else r + recurrent_bias
        z_z, z_r, z_h = jnp.split(z, 3, axis=-1)
        r_z, r_r, r_h = jnp.split(r, 3, axis=-1)
        candidate = jnp.tanh(z_h + jax.nn.sigmoid(z_r + r_r) * r_h)
        return (candidate + jax.nn.sigmoid(z_z + r_z) * (h - candidate),)

    outputs, (h,) = _scan(step, (h,), _project_inputs(x, kernel, bias), go_backwards, mask)
    return outputs, h


def _project_inputs(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    """Input projection of all time steps in one product, time-major."""
    z = jnp.swapaxes(x @ kernel, 0, 1)
    return z if bias is None else z + bias


def _scan(
    step: Callable[[Any, Any], Any],
    states: tuple[jax.Array, ...],
    steps: jax.Array,
    go_backwards: bool,
    mask: jax.Array | None,
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """Scans over time. Returns the outputs, in the order of computation, and the last states."""

    def body(states: Any, x: Any) -> Any:
        z, is_active = x
        new = step(states, z)
        if is_active is not None:
            new = tuple(jnp.where(is_active, a, b) for a, b in zip(new, states, strict=True))
        return new, new[0]

    active = None if mask is None else mask.T[..., None]
    states, outputs = lax.scan(body, states, (steps, active), reverse=go_backwards)
    outputs = jnp.swapaxes(outputs, 0, 1)
    if go_backwards:
        outputs = jnp.flip(outputs, 1)
    if mask is not None:  # no output before the first step that counts
        started = jnp.cumsum(jnp.flip(mask, 1) if go_backwards else mask, 1) > 0
        outputs = jnp.where(started[..., None], outputs, 0)
    return outputs, states
