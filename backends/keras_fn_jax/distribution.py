"""Distribution: meshes of devices, shardings of arrays, processes.

Arrays are global in JAX: a compiled function sees the whole array, wherever its shards are, and
XLA inserts the communication. Whatever here runs on shards of several processes runs on all.
"""

import inspect
import math
import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax._src import distributed  # the store has no public name
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from keras_fn.errors import SpecError
from keras_fn_jax.device import find_devices, list_devices, name_device


def make_mesh(devices: np.ndarray, axis_names: Sequence[str]) -> Mesh:
    """Returns `jax.sharding.Mesh`."""
    names = [str(name).replace("cuda", "gpu") for name in devices.flat]
    kinds = dict.fromkeys(name.partition(":")[0] for name in names)
    available = {name_device(device): device for kind in kinds for device in find_devices(kind)}
    unknown = [name for name in names if name not in available]
    if unknown:
        raise SpecError(
            "DeviceMesh",
            expected=f"devices among {', '.join(list_devices())}",
            received=", ".join(unknown),
            fix="name devices of keras.distribution.list_devices()",
        )
    return Mesh(
        np.array([available[name] for name in names]).reshape(devices.shape), tuple(axis_names)
    )


def make_sharding(mesh: Mesh, axes: Sequence[Any]) -> NamedSharding:
    """Returns `NamedSharding`, in the form that JAX gives those of results."""
    named = max((i + 1 for i, axis in enumerate(axes) if axis is not None), default=0)
    return NamedSharding(mesh, PartitionSpec(*axes[:named]))


def shard(x: Any, sharding: NamedSharding) -> jax.Array:
    """Returns an array in another sharding: a constraint for XLA in a trace."""
    if isinstance(x, Tracer):
        return lax.with_sharding_constraint(x, sharding)
    if isinstance(x, jax.Array):
        if x.sharding == sharding:
            return x
        if not x.is_fully_addressable:
            return jax.jit(_identity, out_shardings=sharding)(x)
    if sharding.is_fully_addressable:
        return jax.device_put(x, sharding)
    host = np.asarray(x)  # `device_put` would compare the values of all processes
    return jax.make_array_from_callback(host.shape, sharding, host.__getitem__)


def _identity(x: jax.Array) -> jax.Array:
    return x


def shard_copy(x: Any, sharding: NamedSharding) -> jax.Array:
    """Returns a copy of an array in another sharding: a step may donate it."""
    if isinstance(x, Tracer):
        return lax.with_sharding_constraint(x, sharding)
    if sharding.is_fully_addressable:
        return jax.device_put(x, sharding, may_alias=False)
    sharded = shard(x, sharding)
    return jax.jit(jax.numpy.copy, out_shardings=sharding)(sharded) if sharded is x else sharded


def gather(x: jax.Array) -> np.ndarray:
    """Returns an array whose shards are on several processes: a collective of all of them."""
    sharding = x.sharding
    if not x.is_fully_replicated and isinstance(sharding, NamedSharding):
        x = shard(x, replicated(sharding))
    return np.asarray(x.addressable_data(0))


def local_values(x: jax.Array) -> np.ndarray | None:
    """Returns the values of an array of which this process has all."""
    if x.is_fully_addressable:
        return np.asarray(x)
    return np.asarray(x.addressable_data(0)) if x.is_fully_replicated else None


def owned_slices(x: jax.Array) -> list[tuple[tuple[slice, ...], np.ndarray]] | None:
    """Returns the first copies of the shards, as far as they are in this process."""
    if x.is_fully_replicated or not is_distributed(x):
        return None
    shards = [s for s in x.addressable_shards if s.replica_id == 0]
    return [(s.index, np.asarray(s.data)) for s in shards]


def spans_processes(x: jax.Array) -> bool:
    """Returns whether all processes must take part in reading an array."""
    return not (x.is_fully_addressable or x.is_fully_replicated)


def is_distributed(x: Any) -> bool:
    """Whether an array is on a mesh of devices."""
    return isinstance(getattr(x, "sharding", None), NamedSharding)


def replicated(sharding: NamedSharding) -> NamedSharding:
    """Returns the sharding of arrays that are whole on each device of the mesh."""
    return NamedSharding(sharding.mesh, PartitionSpec())


def keep_sharding(variable: Any, value: Any) -> Any:
    """Returns the new value of a variable in a compiled step, in the sharding of the old one."""
    handle = variable._handle
    return lax.with_sharding_constraint(value, handle.sharding) if is_distributed(handle) else value


def replicate_results(results: list[Any], state: Sequence[Any]) -> list[Any]:
    """Returns the results of a compiled step: whole on each device, if its state is on a mesh."""
    mesh = next((replicated(v._handle.sharding) for v in state if is_distributed(v._handle)), None)
    if mesh is None:
        return results
    return [
        lax.with_sharding_constraint(x, mesh) if isinstance(x, jax.Array) else x for x in results
    ]


def join_rows(x: np.ndarray, counts: Sequence[int], sharding: NamedSharding) -> jax.Array:
    """Makes a global array of the rows that each process has read."""
    mesh: Any = sharding.mesh
    devices = sorted(mesh.devices.flat, key=lambda d: (d.process_index, d.id))
    rows = NamedSharding(Mesh(np.array(devices), ("rows",)), PartitionSpec("rows"))
    per_process = len(devices) // len(counts)
    size = -(-max(counts) // per_process) * per_process  # as many on each device
    padded = np.zeros((size, *x.shape[1:]), x.dtype)
    padded[: len(x)] = x
    whole_shape = (size * len(counts), *x.shape[1:])
    joined = jax.make_array_from_process_local_data(rows, padded, whole_shape)
    if set(counts) != {size}:
        starts = range(0, whole_shape[0], size)
        used = [np.arange(a, a + n) for a, n in zip(starts, counts, strict=True)]
        take = jax.jit(jax.numpy.take, static_argnames="axis", out_shardings=replicated(rows))
        joined = take(joined, np.concatenate(used), axis=0)
    return joined


def process_index() -> int:
    """Returns the index of this process."""
    return jax.process_index()


def process_count() -> int:
    """Returns the number of processes."""
    return jax.process_count()


_HEARTBEAT_SECONDS = 15  # later than the frontend, JAX aborts a process whose others do not answer


def initialize_processes(
    address: str, process_count: int, process_index: int, local_index: int | None, timeout: float
) -> None:
    """`jax.distributed.initialize`; CPUs communicate by gloo."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    seconds = max(1, math.ceil(timeout))
    options: dict[str, Any] = {
        "heartbeat_timeout_seconds": seconds + _HEARTBEAT_SECONDS,
        "shutdown_timeout_seconds": seconds,
    }
    known = inspect.signature(jax.distributed.initialize).parameters  # JAX 0.6 has fewer
    jax.distributed.initialize(
        address,
        process_count,
        process_index,
        local_device_ids=local_index,
        initialization_timeout=seconds,
        **{name: value for name, value in options.items() if name in known},
    )


def exchange_text(name: str, text: str, timeout: float) -> list[str | None]:
    """Exchanges texts by the key-value store of the coordination service: no collective."""
    cluster: Any = distributed.global_state  # as `jax.process_index` starts the devices
    client = cluster.client
    end = time.monotonic() + timeout
    client.key_value_set(f"keras_fn/{name}/{cluster.process_id}", text)
    texts: list[str | None] = []
    for i in range(cluster.num_processes):
        left = max(100, int(1000 * (end - time.monotonic())))
        try:
            texts.append(client.blocking_key_value_get(f"keras_fn/{name}/{i}", left))
        except jax.errors.JaxRuntimeError:
            texts.append(None)
    return texts


def exchange_counts(count: int) -> list[int]:
    """Publishes a count in the key-value store, and returns those of all processes."""
    cluster: Any = distributed.global_state
    client = cluster.client
    prefix = "keras_fn/count/"
    client.key_value_set(f"{prefix}{cluster.process_id}", str(count), allow_overwrite=True)
    found = dict(client.key_value_dir_get(prefix))
    return [int(found.get(f"{prefix}{i}", 0)) for i in range(cluster.num_processes)]
