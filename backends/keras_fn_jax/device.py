"""Devices: their names, and the device of new arrays."""

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
            expected=f"one of {', '.join(map(name_device, devices))}",
            received=f"{name!r}",
            fix="name a device that JAX sees",
        ) from None


def list_devices(device_type: str | None = None) -> list[str]:
    """Returns the names of the devices of all processes, such as "cpu:0"."""
    return [name_device(device) for device in find_devices(device_type)]


def find_devices(device_type: str | None) -> list[Any]:
    """Returns the devices of a kind, of all processes."""
    kind = None if device_type is None else device_type.lower().replace("cuda", "gpu")
    try:
        return jax.devices(kind)
    except RuntimeError:  # there are none of this kind
        return []


def name_device(device: Any) -> str:
    """Returns the name of a device."""
    return f"{device.platform}:{device.id}"
