"""Replicas: processes that each compute with their rows of a batch, by `torch.distributed`."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from keras_fn_torch.tensors import Tensor, convert_to_numpy
from keras_fn_torch.transforms import value_and_grad

_WATCHDOG_SECONDS = 2.0  # later than the frontend, collectives give up waiting for a process
_READ_SECONDS = 2.0  # that process 0 waits until the others have read what all have sent
_POLL_SECONDS = 0.005


class _Stores:
    """The key-value store of the cluster, with a connection for each of the threads that wait."""

    texts: Any = None
    counts: Any = None


def process_index() -> int:
    """Returns the index of this process."""
    return dist.get_rank() if _is_connected() else 0


def process_count() -> int:
    """Returns the number of processes."""
    return dist.get_world_size() if _is_connected() else 1


def _is_connected() -> bool:
    return dist.is_available() and dist.is_initialized()


def initialize_processes(
    address: str, process_count: int, process_index: int, local_index: int | None, timeout: float
) -> None:
    """`dist.init_process_group`, with NCCL where each process has a GPU, else with gloo."""
    host, _, port = address.rpartition(":")
    seconds = timedelta(seconds=timeout)
    store = dist.TCPStore(
        host, int(port), process_count, is_master=process_index == 0, timeout=seconds
    )
    has_gpus = _use_own_gpus(store, process_count, process_index, local_index)
    if not _is_connected():
        backend = "cpu:gloo,cuda:nccl" if has_gpus else "gloo"
        dist.init_process_group(
            backend,
            store=dist.PrefixStore("torch", store),
            rank=process_index,
            world_size=process_count,
            timeout=timedelta(seconds=timeout + _WATCHDOG_SECONDS),
        )
    _Stores.texts = dist.PrefixStore("text", store)
    _Stores.counts = dist.PrefixStore("count", store.clone())
    _Stores.counts.set(str(process_index), "0")
    dist.barrier()


def _use_own_gpus(store: Any, count: int, index: int, local_index: int | None) -> bool:
    """Takes a GPU for this process; returns whether each process has its own, as NCCL needs."""
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if found:
        torch.cuda.set_device((local_index or 0) % found)
    store.set(f"gpu/{index}", str(int((local_index or 0) < found and dist.is_nccl_available())))
    return all(text == b"1" for text in store.multi_get([f"gpu/{i}" for i in range(count)]))


def exchange_text(name: str, text: str, timeout: float) -> list[str | None]:
    """Exchanges texts by the store: no collective."""
    store, index, count = _Stores.texts, process_index(), process_count()
    end = time.monotonic() + timeout
    store.set(f"{name}/{index}", text)
    texts = [
        store.get(f"{name}/{i}").decode() if _has_key(store, f"{name}/{i}", end) else None
        for i in range(count)
    ]
    store.set(f"{name}/read/{index}", "")
    if index == 0:  # the store ends with this process: the others must have read it
        end = time.monotonic() + _READ_SECONDS
        for i, found in enumerate(texts):
            if found is not None:
                _has_key(store, f"{name}/read/{i}", end)
    return texts


def _has_key(store: Any, key: str, end: float) -> bool:
    """Waits for a key until a time; `store.wait` would write warnings about it."""
    while not store.check([key]):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def exchange_counts(count: int) -> list[int]:
    """Publishes a count in the store, and returns those of all processes."""
    store, keys = _Stores.counts, [str(i) for i in range(process_count())]
    store.set(str(process_index()), str(count))
    return [int(found) for found in store.multi_get(keys)]


def local_values(x: Tensor) -> np.ndarray | None:
    """Returns the values of a tensor, which this process has."""
    return convert_to_numpy(x)


# ------------------------------------------------------------------------------------ sums


class _AllReduceSum(torch.autograd.Function):
    """A sum over the processes, whose gradient is the sum of the gradients of all processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return _AllReduceSum.apply(grads[0])  # type: ignore[no-any-return]


def all_reduce_sum(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Sums tensors over the processes: all of a dtype in one collective."""
    if process_count() == 1:
        return list(tensors)
    sums: list[Any] = [None] * len(tensors)
    kinds = [(x.dtype, x.device) for x in tensors]
    for kind in dict.fromkeys(kinds):
        indices = [i for i, other in enumerate(kinds) if other == kind]
        for i, total in zip(indices, _sum_flat([tensors[i] for i in indices]), strict=True):
            sums[i] = total
    return sums


def _sum_flat(tensors: list[Tensor]) -> list[Tensor]:
    """Sums tensors of one dtype over the processes in one collective."""
    if len(tensors) == 1:
        return [_AllReduceSum.apply(tensors[0])]  # type: ignore[list-item]
    total: Any = _AllReduceSum.apply(torch.cat([x.reshape(-1) for x in tensors]))
    parts = total.split([x.numel() for x in tensors])
    return [part.view(x.shape) for part, x in zip(parts, tensors, strict=True)]


def summed_value_and_grad(
    function: Callable[..., tuple[Tensor, Any]], variables: Sequence[Any]
) -> Callable[..., tuple[tuple[Tensor, Any], list[Tensor]]]:
    """`value_and_grad`, whose gradients are summed over the processes."""
    run = value_and_grad(function, variables)

    def summed(*args: Any) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        value, grads = run(*args)
        return value, all_reduce_sum(grads)

    return summed
