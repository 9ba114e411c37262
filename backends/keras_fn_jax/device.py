"""Devices: the device of new arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from keras_fn.errors import SpecError


@contextmanager
def device_scope(name: str) -> Iterator[None]:
    """Context in which new arrays are on the named device: "cpu", "gpu:0", "cuda:1", "tpu"."""
    with jax.default_device(_device(name)):
        yield


def _device(name: str) -> Any:
    kind, _, number = name.replace("cuda", "gpu").partition(":")
    try:
        return jax.devices(kind)[int(number or 0)]
    except (RuntimeError, IndexError, ValueError):
        devices = dict.fromkeys((*jax.devices(), *jax.devices("cpu")))
        raise SpecError(
            "keras.device",
            expected=f"one of {', '.join(f'{d.platform}:{d.id}' for d in devices)}",
            received=f"{name!r}",
            fix="name a device that JAX sees",
        ) from None
