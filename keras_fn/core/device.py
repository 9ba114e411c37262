"""The device scope: on which device new tensors are placed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, cast

from keras_fn.backend.contract import SupportsDeviceScope
from keras_fn.backend.loader import current, supports
from keras_fn.errors import UnsupportedError

_device: ContextVar[str | None] = ContextVar("keras_fn_device", default=None)


def device(device_name: str) -> AbstractContextManager[Any]:
    """Context manager: new tensors and variables are placed on a device.

    Without it they are placed on the first accelerator that the framework sees, else on the CPU.

    Args:
        device_name: `"cpu"`, `"gpu"`, `"cuda"` or `"mps"`, with an index if there are several:
            `"gpu:1"`.

    Returns:
        The context manager.

    Raises:
        ValueError: There is no such device.
        UnsupportedError: The backend cannot choose the device.

    Example:
        >>> with keras.device("cpu"):
        ...     x = ops.zeros((2,))
    """
    backend = current()
    if not supports("device_scope"):
        raise UnsupportedError(
            f"The backend {backend.name!r} has no devices to choose from.",
            fix="remove keras.device",
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
    """Context manager for threads that run in a copied context: uses the device of that context.

    Frameworks keep the active device per thread, so that a new thread does not inherit it.
    """
    name = _device.get()
    return nullcontext() if name is None else device(name)
