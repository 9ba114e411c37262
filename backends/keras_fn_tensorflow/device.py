"""Devices: where new tensors go."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import tensorflow as tf

from keras_fn.errors import SpecError


@contextmanager
def device_scope(name: str) -> Iterator[None]:
    """Inside, new tensors go to the device of that name: "cpu", "gpu:0", "cuda:1"."""
    kind, _, number = name.lower().replace("cuda", "gpu").partition(":")
    wanted = f"{kind}:{number or 0}"
    there = [d.name.removeprefix("/device:").lower() for d in tf.config.list_logical_devices()]
    if wanted not in there:  # TensorFlow would quietly take another one
        raise SpecError(
            "keras_fn.device",
            expected=f"one of {', '.join(there)}",
            received=f"{name!r}",
            fix="name a device that TensorFlow sees",
        )
    with tf.device(f"/{wanted.upper()}"):
        yield


@cache
def has_gpu() -> bool:
    """Whether this process computes on a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))
