"""Profiling hooks: profiler trace, synchronization, out-of-memory errors."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax


def profile(folder: str) -> AbstractContextManager[Any]:
    """`jax.profiler.trace`."""
    return jax.profiler.trace(folder)


def block_until_ready(tensors: Sequence[Any]) -> None:
    """`jax.block_until_ready`."""
    jax.block_until_ready(list(tensors))


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether XLA reports it: XLA has one class for all errors."""
    reported = "RESOURCE_EXHAUSTED" in str(error) or "out of memory" in str(error).lower()
    return isinstance(error, jax.errors.JaxRuntimeError) and reported
