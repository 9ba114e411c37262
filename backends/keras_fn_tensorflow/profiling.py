"""Profiling hooks: profiler trace, synchronization, out-of-memory errors."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf


def profile(folder: str) -> AbstractContextManager[Any]:
    """`tf.profiler.experimental.Profile`."""
    return tf.profiler.experimental.Profile(folder)


def block_until_ready(tensors: Sequence[Any]) -> None:
    """Fetches an element of each tensor, which blocks until it is computed."""
    for tensor in tensors:
        tf.reshape(tensor, [-1])[:1].numpy()


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether it is `tf.errors.ResourceExhaustedError`."""
    return isinstance(error, tf.errors.ResourceExhaustedError)
