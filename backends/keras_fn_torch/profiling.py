"""Profiling hooks: profiler trace, synchronization, out-of-memory errors."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

# Messages of allocators that raise a plain RuntimeError: the CPU's and Apple's.
_SAID = ("DefaultCPUAllocator", "not enough memory", "out of memory")


def profile(folder: str) -> AbstractContextManager[Any]:
    """`torch.profiler.profile`, written in the format of TensorBoard's plugin."""
    handler = torch.profiler.tensorboard_trace_handler(folder)
    return torch.profiler.profile(on_trace_ready=handler)


def block_until_ready(tensors: Sequence[Any]) -> None:
    """Synchronizes the devices of the tensors; CPU calls are synchronous."""
    for device in {t.device for t in tensors}:
        if device.type != "cpu":
            getattr(torch, device.type).synchronize()


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether it is `torch.OutOfMemoryError`, or a RuntimeError with such a message."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)
