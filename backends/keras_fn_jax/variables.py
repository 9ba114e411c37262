"""Variables: the handle is a `jax.Array`, which an assignment replaces."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.sharding import NamedSharding

from keras_fn_jax.distribution import shard, shard_copy
from keras_fn_jax.tensors import native_dtype


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> jax.Array:
    """Copies the value: the array itself is the state."""
    del trainable, name
    # A copy: a step donates its state, and the caller may keep `value`.
    if isinstance(value, Tracer):
        return jnp.array(value, dtype=native_dtype(dtype), copy=True)
    with jax.ensure_compile_time_eval():  # eager, also in a trace that reads it first
        if isinstance(value, np.ndarray):  # without dtype=, which is another operation
            return jnp.array(value.astype(native_dtype(dtype), copy=False))
        return jnp.array(value, dtype=native_dtype(dtype), copy=True)


def new_sharded_variable(
    draw_shard: Callable[[tuple[slice, ...]], np.ndarray],
    shape: tuple[int, ...],
    dtype: str,
    sharding: NamedSharding,
) -> jax.Array:
    """Creates the array of a variable shard by shard."""
    devices: dict[Any, list[Any]] = {}  # by the bounds of their shards
    indices = sharding.addressable_devices_indices_map(shape)
    for device, index in indices.items():
        devices.setdefault(tuple((s.start, s.stop) for s in index or ()), []).append(device)
    shards = []
    with jax.ensure_compile_time_eval():  # eager, also in a trace that reads it first
        for group in devices.values():
            values = np.asarray(draw_shard(indices[group[0]] or ()))
            values = values.astype(native_dtype(dtype), copy=False)
            shards += [jax.device_put(values, device, may_alias=False) for device in group]
        return jax.make_array_from_single_device_arrays(shape, sharding, shards)


def assign(handle: jax.Array, value: jax.Array) -> jax.Array:
    """Returns a copy of the value as the new handle: a step donates its state."""
    if type(handle.sharding) is NamedSharding:
        return shard_copy(value, handle.sharding)
    # `jnp.array(value, copy=True)` would compile a program for each new shape.
    return value if isinstance(value, Tracer) else jax.device_put(value, may_alias=False)


def take_over(handle: jax.Array, new: jax.Array) -> jax.Array:
    """Returns the new handle, which no one else holds."""
    return new if new.sharding == handle.sharding else assign(handle, new)


def assign_add(handle: jax.Array, value: Any) -> jax.Array:
    """Returns the sum as the new handle."""
    if type(handle.sharding) is NamedSharding:
        return shard(handle + value, handle.sharding)
    return handle + value


def set_trainable(handle: jax.Array, trainable: bool) -> None:
    """Does nothing: JAX differentiates with respect to explicit arguments."""
