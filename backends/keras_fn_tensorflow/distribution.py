"""Replicas: processes that each compute with their rows of a batch, by TensorFlow's collectives.

Variables are plain, and alike in all processes. Collectives are ordered by a token, as they are
written in the program, in graphs and loops, too.
"""

import atexit
import copy
import socket
from collections.abc import Callable, Sequence
from threading import Timer
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import raw_ops as raw
from tensorflow.core.protobuf import tensorflow_server_pb2
from tensorflow.python.eager import context  # collectives without a strategy have no public name

from keras_fn.core import scopes
from keras_fn.errors import SpecError
from keras_fn_tensorflow.device import list_devices as list_own_devices
from keras_fn_tensorflow.process_store import ProcessStore, ProcessStoreClient, cluster
from keras_fn_tensorflow.tensors import convert_to_numpy
from keras_fn_tensorflow.transforms import value_and_grad

_GROUP = 1  # of all processes
_SECONDS_AFTER_END = 3.0  # that others may go on when a process has ended as it should


def process_index() -> int:
    """Returns the index of this process."""
    return cluster.index


def process_count() -> int:
    """Returns the number of processes."""
    return cluster.count


def list_devices(device_type: str | None = None) -> list[str]:
    """Returns the names of the devices: one of each process, if there are several."""
    devices = list_own_devices(device_type)
    if cluster.count == 1 or not devices:
        return devices
    kind = devices[0].partition(":")[0]
    return [f"{kind}:{i}" for i in range(cluster.count)]


def initialize_processes(
    address: str, process_count: int, process_index: int, local_index: int | None, timeout: float
) -> None:
    """Starts TensorFlow's server for collectives; each process has one device."""
    host, _, port = address.rpartition(":")
    if process_index == 0:
        ProcessStore(host, int(port), process_count)
    store = ProcessStoreClient(host, int(port), process_index)
    addresses = store.connect(timeout) and store.exchange("address", _own_address(store), timeout)
    _check_present(addresses or [None], timeout, address)
    _use_own_gpu(local_index)
    _start_server(addresses, process_index)
    cluster.index, cluster.count, cluster.store = process_index, process_count, store
    with tf.init_scope():
        cluster.token = tf.Variable(tf.zeros(()), trainable=False)
    _check_present(store.exchange("server", "", timeout), timeout, address)
    store.watch(_on_end)
    atexit.register(store.end)


def _own_address(store: ProcessStoreClient) -> str:
    with socket.socket() as probe:
        probe.bind((store.own_host, 0))
        return f"{store.own_host}:{probe.getsockname()[1]}"


def _check_present(texts: Sequence[str | None], timeout: float, address: str) -> None:
    missing = [str(i) for i, text in enumerate(texts) if text is None]
    if missing:
        raise SpecError(
            "initialize",
            expected=f"all processes at {address} within {timeout:g} s",
            received=f"none with the index {', '.join(missing)}",
            fix="start all processes, with the address of process 0; look at the output of those",
        )


def _use_own_gpu(local_index: int | None) -> None:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        tf.config.set_visible_devices(gpus[(local_index or 0) % len(gpus)], "GPU")


def _start_server(addresses: Any, index: int) -> None:
    leader, own = "/job:worker/replica:0/task:0", f"/job:worker/task:{index}"
    state = context.context()
    try:
        state.configure_collective_ops(collective_leader=leader, device_filters=(own,))
    except RuntimeError:
        raise SpecError(
            "initialize",
            expected="a call before TensorFlow computes anything",
            received="a call after it has",
            fix="call keras.distribution.initialize() first in the program",
        ) from None
    config = copy.deepcopy(state.config)
    config.experimental.collective_group_leader = leader
    config.device_filters[:] = [own]
    server = tensorflow_server_pb2.ServerDef(
        cluster=tf.train.ClusterSpec({"worker": addresses}).as_cluster_def(),
        default_session_config=config,
        job_name="worker",
        task_index=index,
        protocol="grpc",
        port=int(addresses[index].rpartition(":")[2]),
    )
    state.enable_collective_ops(server)
    state.ensure_initialized()


def _on_end(process: int, failed: bool) -> None:
    """Ends collectives when another process has ended: they would wait for it for ever."""
    if failed:
        _abort(process)
        return
    timer = Timer(_SECONDS_AFTER_END, _abort, (process,))
    timer.daemon = True
    timer.start()


def _abort(process: int) -> None:
    context.context().abort_collective_ops(tf.errors.UNAVAILABLE, f"process {process} has ended")


def exchange_text(name: str, text: str, timeout: float) -> list[str | None]:
    """Exchanges texts by the store of process 0: no collective."""
    return cluster.store.exchange(name, text, timeout)


def exchange_counts(count: int) -> list[int]:
    """Publishes a count in the store, and returns those of all processes."""
    return cluster.store.exchange_counts(count)


def local_values(x: Any) -> np.ndarray | None:
    """Returns the values of a tensor, which this process has."""
    return convert_to_numpy(x)


# ------------------------------------------------------------------------------------ collectives


def _collective(op: Callable[..., Any], kind: int, x: tf.Tensor, **options: Any) -> tf.Tensor:
    """Runs a collective with a flat tensor.

    Collectives of one instance key have one size and dtype, and take turns. They have no timeout,
    as each would keep a thread until then; `_on_end` and the frontend's watchdog end them.
    """
    size = tf.size(x, out_type=tf.int64)  # type: ignore[arg-type]
    number = size * 128 + (64 * kind + x.dtype.as_datatype_enum)
    with tf.device("CPU:0"):
        key = tf.cast(number % tf.int32.max, tf.int32)
        group, count = tf.constant(_GROUP), tf.constant(cluster.count)
    return op(
        input=x,
        group_size=count,
        group_key=group,
        instance_key=key,
        ordering_token=[cluster.token.handle],
        **options,
    )


@tf.custom_gradient
def _sum_flat(x: Any) -> Any:
    """Sums a flat tensor over the processes; its gradient is summed in the same way."""
    total = _collective(raw.CollectiveReduceV2, 0, x, merge_op="Add", final_op="Id")
    replica = scopes.context.current.replica
    if replica is None or replica.gradients.summed:
        return total, _sum_flat

    def weigh(gradient: Any) -> Any:
        # The loss of a `tf.GradientTape` is not weighted by the share of the rows: gradients are.
        share = tf.cast(replica.share, gradient.dtype)
        divisor = tf.where(share > 0, share, tf.ones_like(share))
        return _sum_flat(gradient * share) / divisor  # type: ignore[operator]

    return total, weigh


_SUMMED = (tf.float32, tf.float64, tf.int32, tf.int64)


def all_reduce_sum(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Sums tensors over the processes: all of a dtype in one collective."""
    tensors = [tf.convert_to_tensor(x) for x in tensors]
    if cluster.count == 1:
        return tensors
    flat = [_flatten(x) for x in tensors]
    sums: dict[int, tf.Tensor] = {}
    for dtype in dict.fromkeys(x.dtype for x in flat):
        indices = [i for i, x in enumerate(flat) if x.dtype == dtype]
        if len(indices) == 1:
            sums[indices[0]] = _sum_flat(flat[indices[0]])
            continue
        sizes = [tf.size(flat[i]) for i in indices]
        total: Any = _sum_flat(tf.concat([flat[i] for i in indices], 0))
        sums |= dict(zip(indices, tf.split(total, sizes), strict=True))
    return [_unflatten(sums[i], x) for i, x in enumerate(tensors)]


def _flatten(x: tf.Tensor) -> tf.Tensor:
    """Returns a tensor as a flat one of a dtype that can be summed."""
    if x.dtype.is_complex:
        x = tf.stack([tf.math.real(x), tf.math.imag(x)])
    if x.dtype not in _SUMMED:
        x = tf.cast(x, tf.float32 if x.dtype.is_floating else tf.int64)
    return tf.reshape(x, [-1])


def _unflatten(flat: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    if like.dtype.is_complex:
        flat = tf.complex(*tf.split(flat, 2))
    x = tf.reshape(flat, like.shape if like.shape.is_fully_defined() else tf.shape(like))  # type: ignore[arg-type]
    return tf.cast(x, like.dtype)


def gather_shards(
    shard: Any,
    indices: Sequence[tuple[slice, ...]],
    shape: tuple[int, ...],
    sums_gradients: bool,
) -> tf.Tensor:
    """Gathers a tensor; its gradient may be summed over the processes, which keep their parts."""
    own = indices[cluster.index]

    @tf.custom_gradient
    def gather(part: Any) -> Any:
        flat: Any = _collective(raw.CollectiveGatherV2, 1, tf.reshape(part, [-1]))
        parts = tf.unstack(tf.reshape(flat, [cluster.count, *part.shape]))
        starts = [tuple(axis.start or 0 for axis in index) for index in indices]
        whole = _join(dict(zip(starts, parts, strict=True)))

        def cut(gradient: Any) -> Any:
            total: Any = tf.convert_to_tensor(gradient)  # of an embedding it is sparse
            return (all_reduce_sum([total])[0] if sums_gradients else total)[own]

        return tf.ensure_shape(whole, shape), cut

    return gather(tf.convert_to_tensor(shard))


def _join(parts: dict[tuple[int, ...], Any], axis: int = 0) -> tf.Tensor:
    """Joins the parts of a tensor, by where each begins on each axis from `axis` on."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    groups: dict[int, dict[tuple[int, ...], Any]] = {}
    for starts, part in parts.items():
        groups.setdefault(starts[axis], {})[starts] = part
    joined = [_join(groups[start], axis + 1) for start in sorted(groups)]
    return tf.concat(joined, axis) if len(joined) > 1 else joined[0]


class _OwnShard:
    """The part of a sharded variable that this process has, in place of the variable."""

    def __init__(self, variable: Any):
        self._variable = variable

    @property
    def value(self) -> Any:
        return self._variable.shard


def summed_value_and_grad(
    function: Callable[..., tuple[Any, Any]], variables: Sequence[Any]
) -> Callable[..., tuple[tuple[Any, Any], list[tf.Tensor]]]:
    """`value_and_grad`, whose gradients are summed over the processes."""
    whole = [i for i, v in enumerate(variables) if v.shard_index is None]
    sources = [v if v.shard_index is None else _OwnShard(v) for v in variables]
    run = value_and_grad(function, sources)

    def summed(*args: Any) -> tuple[tuple[Any, Any], list[tf.Tensor]]:
        value, grads = run(*args)
        for i, total in zip(whole, all_reduce_sum([grads[i] for i in whole]), strict=True):
            grads[i] = total
        return value, grads

    return summed
