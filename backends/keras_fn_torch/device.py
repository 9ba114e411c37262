"""Devices: where new tensors go."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import torch
import torch.distributed as dist

from keras_fn.core.tracing import assume_constant_result
from keras_fn.errors import SpecError
from keras_fn_torch.thread_state import is_abstract, thread_state

_META = torch.device("meta")


def default_device() -> torch.device:
    """Returns the device of new tensors: of `device_scope`, else CUDA, else MPS, else the CPU."""
    if is_abstract():
        return _META
    return thread_state.device or _best_device()


@assume_constant_result
def _best_device() -> torch.device:
    return _detect_device()


@cache
def _detect_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def list_devices(device_type: str | None = None) -> list[str]:
    """Returns the names of the devices: "cpu:0", "gpu:0", "mps:0"; one for each process."""
    default = _detect_device().type.replace("cuda", "gpu")
    kind = (device_type or default).lower().replace("cuda", "gpu")
    if kind == default and dist.is_available() and dist.is_initialized():
        return [f"{kind}:{i}" for i in range(dist.get_world_size())]
    has_mps = torch.backends.mps.is_available()
    counts = {"cpu": 1, "gpu": torch.cuda.device_count(), "mps": int(has_mps)}
    return [f"{kind}:{i}" for i in range(counts.get(kind, 0))]


def device_scope(name: str) -> AbstractContextManager[None]:
    """Context in which new tensors are on the named device: "cpu", "gpu:0", "cuda:1", "mps"."""
    return on_device(_find_device(name))


@cache
def _find_device(name: str) -> torch.device:
    """Returns a device that exists: it is tried, as each kind of device says so in its own way."""
    try:
        device = torch.device(name.replace("gpu", "cuda"))
        if device.type == "cpu" and device.index:
            raise ValueError("PyTorch has one CPU, and ignores its index")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        devices = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        devices += ["mps"] if torch.backends.mps.is_available() else []
        raise SpecError(
            "keras.device",
            expected=f"one of {', '.join(devices)}",
            received=f"{name!r}",
            fix="name a device that PyTorch sees",
        ) from error
    return device


@contextmanager
def on_device(device: torch.device | None) -> Iterator[None]:
    """Context in which new tensors are on the device; None for the default."""
    outer, thread_state.device = thread_state.device, device
    try:
        yield
    finally:
        thread_state.device = outer


def to_device(x: torch.Tensor) -> torch.Tensor:
    """Moves a tensor (of a DataLoader, for example) to the default device."""
    return x.to(default_device())
