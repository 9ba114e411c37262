"""Where tensors are."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, cast

from keras_fn.backend.contract import SupportsDeviceScope
from keras_fn.backend.loader import current, supports
from keras_fn.errors import UnsupportedError

_device: ContextVar[str | None] = ContextVar("keras_fn_device", default=None)


def device(device_name: str) -> AbstractContextManager[Any]:
    """Inside, new tensors and variables go to a device.

    Outside, they go to the first accelerator that the framework sees, else to the CPU.

    Args:
        device_name: `"cpu"`, `"gpu"` or `"cuda"` or `"mps"`, with a number where there are
            several: `"gpu:1"`.

    Raises:
        ValueError: There is no such device.
        UnsupportedError: The backend leaves no choice.

    Example:
        >>> with keras.device("cpu"):
        ...     x = ops.zeros((2,))
    """
    backend = current()
    if not supports("device_scope"):
        raise UnsupportedError(
            f"The backend {backend.name!r} has no devices to choose from.",
            fix="leave keras.device out",
        )
    scope = cast(SupportsDeviceScope, backend).device_scope(device_name)
    return _device_context(scope, device_name)


@contextmanager
def _device_context(scope: AbstractContextManager[Any], device_name: str) -> Iterator[None]:
    with scope:
        token = _device.set(device_name)
        try:
            yield
        finally:
            _device.reset(token)


def inherit_device() -> AbstractContextManager[Any]:
    """Inside, a thread that runs in a copied context uses the device of that context.

    Frameworks keep the device of a scope for each thread, so that it does not come along.
    """
    name = _device.get()
    return nullcontext() if name is None else device(name)
