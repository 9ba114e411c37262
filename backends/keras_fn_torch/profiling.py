"""Profiling hooks: profiler trace, synchronization, out-of-memory errors."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

# Of allocators that raise nothing but a RuntimeError: those of the CPU and of Apple's GPUs.
_SAID = ("DefaultCPUAllocator", "not enough memory", "out of memory")


def profile(folder: str) -> AbstractContextManager[Any]:
    """`torch.profiler.profile`, written as TensorBoard's plugin reads it."""
    handler = torch.profiler.tensorboard_trace_handler(folder)
    return torch.profiler.profile(on_trace_ready=handler)


def block_until_ready(tensors: Sequence[Any]) -> None:
    """Waits for the devices of the tensors; on the CPU all is done when a call returns."""
    for device in {t.device for t in tensors}:
        if device.type != "cpu":
            getattr(torch, device.type).synchronize()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it is PyTorch's own error, or a RuntimeError that says the same."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)
