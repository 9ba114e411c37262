"""Devices: where new tensors go."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import tensorflow as tf

from keras_fn.errors import SpecError


def list_devices(device_type: str | None = None) -> list[str]:
    """Returns the names of the logical devices of this process, such as "cpu:0"."""
    kind = device_type.upper().replace("CUDA", "GPU") if device_type else None
    return _list_names(kind or ("GPU" if has_gpu() else "CPU"))


def _list_names(kind: str | None = None) -> list[str]:
    # With several processes, names begin with the task.
    return [d.name.rpartition("/device:")[2].lower() for d in tf.config.list_logical_devices(kind)]


@contextmanager
def device_scope(name: str) -> Iterator[None]:
    """Context in which new tensors are on the named device: "cpu", "gpu:0", "cuda:1"."""
    kind, _, number = name.replace("cuda", "gpu").partition(":")
    device = f"{kind}:{number or 0}"
    available = _list_names()
    if device not in available:  # TensorFlow would silently use another device
        raise SpecError(
            "keras.device",
            expected=f"one of {', '.join(available)}",
            received=f"{name!r}",
            fix="name a device that TensorFlow sees",
        )
    with tf.device(f"/{device.upper()}"):
        yield


@cache
def has_gpu() -> bool:
    """Returns whether this process computes on a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))
