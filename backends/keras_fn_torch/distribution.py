"""Replicas: processes that each compute with their rows of a batch, by `torch.distributed`."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef

from keras_fn.core import tree
from keras_fn.core.scopes import context
from keras_fn.core.sharded_variable import ShardScope
from keras_fn_torch.gradient_buckets import GradientBuckets
from keras_fn_torch.tensors import Tensor, convert_to_numpy
from keras_fn_torch.transforms import call_with_values, detach, gradients

Index = tuple[slice, ...]

# PyTorch 2.13 has renamed it.
_ALL_GATHER: Any = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor

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
        senders = [i for i, found in enumerate(texts) if found is not None]
        readers = [i for i in senders if _has_key(store, f"{name}/read/{i}", end)]
        if len(readers) == count:  # names are never used again
            for i in readers:
                store.delete_key(f"{name}/{i}")
                store.delete_key(f"{name}/read/{i}")
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
        replica, ctx.share = context.current.replica, None
        if replica is not None and not replica.gradients.summed:
            # The loss of `loss.backward()` is not weighted by the share of the rows: gradients are.
            ctx.share = replica.share
        x = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        if ctx.share is None:
            return _AllReduceSum.apply(grads[0])
        return _AllReduceSum.apply(grads[0] * ctx.share) / (ctx.share or 1)


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
    variables = list(variables)
    has_shards = any(v.shard_index is not None for v in variables)
    direct = _regathered(function) if has_shards else function

    def summed(*args: Any) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        with ShardScope("local"):
            tensors = [v.value for v in variables]
        with torch.enable_grad():
            if context.current.stateless is None and all(t.requires_grad for t in tensors):
                value, more = direct(*args)
            else:
                tensors = [v.value.detach().requires_grad_() for v in variables]
                value, more = call_with_values(function, args, variables, tensors)
        # Those of shards are summed where the shards were gathered.
        own = [i for i, v in enumerate(variables) if tuple(tensors[i].shape) == v.shape]
        buckets = GradientBuckets([tensors[i] for i in own])
        try:
            grads = gradients(value, tensors)
        finally:
            buckets.remove_hooks()
        for i, total in zip(own, buckets.sum([grads[i] for i in own]), strict=True):
            grads[i] = total
        return (value.detach(), tree.map_structure(detach, more)), grads

    return summed


# ------------------------------------------------------------------------------------ shards


class _Gather(torch.autograd.Function):
    """A whole tensor of the parts of all processes; its gradient is a part again."""

    @staticmethod
    def forward(ctx: Any, shard: Tensor, indices: Any, shape: Any, sums: bool) -> Tensor:
        ctx.indices, ctx.sums = indices, sums
        return _gather(shard, indices, shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,), own = grads, ctx.indices[process_index()]
        if grad.layout is not torch.strided:  # of an embedding of PyTorch
            grad = grad.to_dense()
        if ctx.sums:
            return _reduce_scatter(grad, ctx.indices), None, None, None
        return grad[own].contiguous(), None, None, None


def _gather(shard: Tensor, indices: Sequence[Index], shape: tuple[int, ...]) -> Tensor:
    shard = shard.detach().contiguous()
    whole = torch.empty(shape, dtype=shard.dtype, device=shard.device)
    if _are_rows(indices):
        _ALL_GATHER(whole, shard)
        return whole
    parts = [torch.empty_like(shard) for _ in indices]
    dist.all_gather(parts, shard)
    for index, part in zip(indices, parts, strict=True):
        whole[index] = part
    return whole


def _are_rows(indices: Sequence[Index]) -> bool:
    """Whether the parts are consecutive rows, in the order of the processes."""
    first = [index[0] for index in indices]
    ordered = all(a.stop == b.start for a, b in pairwise(first))
    return ordered and all(index[1:] == indices[0][1:] for index in indices)


def _reduce_scatter(x: Tensor, indices: Sequence[Index]) -> Tensor:
    """Returns the part of this process, of the sum of tensors over the processes."""
    own = indices[process_index()]
    if indices.count(own) > 1:  # a sum in another order would differ from that of the same part
        total = x.contiguous()
        total = total.clone() if total is x else total
        dist.all_reduce(total)
        return total[own].contiguous()
    parts = [x[index].contiguous() for index in indices]
    part = torch.empty_like(parts[0])
    dist.reduce_scatter(part, parts)
    return part


class _Gathered(threading.local):
    """The whole tensors of a forward pass, by the address of their memory; None outside of one."""

    sources: dict[int, Any] | None = None


_gathered = _Gathered()


def gather_shards(
    shard: Tensor, indices: Sequence[Index], shape: tuple[int, ...], sums_gradients: bool
) -> Tensor:
    """Gathers a tensor; the graph keeps the part of this process, and gathers again in backward."""
    whole: Any = _Gather.apply(shard, indices, shape, sums_gradients)
    if _gathered.sources is not None and torch.is_grad_enabled():
        storage = whole.untyped_storage()
        # Memory that is free again may have the same address.
        source = StorageWeakRef(storage), shard.detach(), indices, shape
        _gathered.sources[storage._cdata] = source
    return whole


def _regathered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a function keep no gathered tensor for its gradients."""

    def run(*args: Any) -> Any:
        outer, _gathered.sources = _gathered.sources, {}
        sources = _gathered.sources

        def pack(x: Tensor) -> Any:
            if x.layout is not torch.strided:
                return x
            reference, *source = sources.get(x.untyped_storage()._cdata, (None,))
            if reference is None or reference.expired():
                return x
            return source, x.size(), x.stride(), x.storage_offset()

        try:
            with saved_tensors_hooks(pack, _unpack):
                return function(*args)
        finally:
            _gathered.sources = outer

    return run


def _unpack(kept: Any) -> Tensor:
    if isinstance(kept, Tensor):
        return kept
    source, size, stride, offset = kept
    return _gather(*source).as_strided(size, stride, offset)
