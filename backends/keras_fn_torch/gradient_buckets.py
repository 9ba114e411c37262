"""Sums of gradients over the processes, that start while the backward pass still runs."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from keras_fn_torch.tensors import Tensor

_BUCKET_BYTES = 8 * 2**20


class GradientBuckets:
    """Gradients in groups, each of which is summed in one collective once all of it is there.

    Groups leave in one order, whatever the order in which gradients arrive: all processes make the
    same calls. A hook on each tensor notes that its gradient has arrived.

    Args:
        tensors: The tensors to differentiate by; one after the other, as a model has them.
    """

    def __init__(self, tensors: Sequence[Tensor]):
        self._tensors = tensors
        self._buckets = _make_buckets(tensors)
        self._bucket_of = {i: b for b, bucket in enumerate(self._buckets) for i in bucket}
        self._missing = [len(bucket) for bucket in self._buckets]
        self._arrived: dict[int, Tensor] = {}
        self._sent: list[tuple[Tensor, Any]] = []
        # One group is summed at the end anyway.
        ahead = range(len(tensors) if len(self._buckets) > 1 else 0)
        self._hooks = [tensors[i].register_hook(self._make_hook(i)) for i in ahead]

    def _make_hook(self, index: int) -> Any:
        def arrive(grad: Tensor) -> None:
            is_dense = grad.layout is torch.strided  # not that of an embedding of PyTorch
            self._arrived[index] = grad if is_dense else grad.to_dense()
            self._missing[self._bucket_of[index]] -= 1
            while len(self._sent) < len(self._buckets) and not self._missing[len(self._sent)]:
                self._send()

        return arrive

    def _send(self) -> None:
        """Starts the sum of the next group."""
        bucket = self._buckets[len(self._sent)]
        grads = [self._arrived.pop(i) for i in bucket]
        flat = torch.cat([grad.detach().reshape(-1) for grad in grads])
        self._sent.append((flat, dist.all_reduce(flat, async_op=True)))

    def remove_hooks(self) -> None:
        """Ends the noting of gradients."""
        for hook in self._hooks:
            hook.remove()

    def sum(self, grads: Sequence[Tensor]) -> list[Tensor]:
        """Returns the sums of the gradients; those that have left are waited for.

        Args:
            grads: The gradients, of which a tensor that was not used has one of zeros.
        """
        sums = list(grads)
        while len(self._sent) < len(self._buckets):
            for i in self._buckets[len(self._sent)]:
                self._arrived.setdefault(i, grads[i])
            self._send()
        for bucket, (flat, work) in zip(self._buckets, self._sent, strict=True):
            work.wait()
            parts = flat.split([grads[i].numel() for i in bucket])
            for i, part in zip(bucket, parts, strict=True):
                sums[i] = part.view(grads[i].shape)
        return sums


def _make_buckets(tensors: Sequence[Tensor]) -> list[list[int]]:
    """Groups the indices of tensors of one dtype, the last first, as backward comes to them."""
    buckets: list[list[int]] = []
    size = 0
    for i in reversed(range(len(tensors))):
        x = tensors[i]
        is_alike = buckets and tensors[buckets[-1][0]].dtype is x.dtype
        if not is_alike or size + x.nbytes > _BUCKET_BYTES:
            buckets.append([])
            size = 0
        buckets[-1].append(i)
        size += x.nbytes
    return buckets
