"""The device scope: on which device new tensors are placed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, cast

from keras_fn.backend.distribution_contract import SupportsDeviceScope
from keras_fn.backend.loader import current, supports
from keras_fn.errors import DTypeError, UnsupportedError

_device: ContextVar[str | None] = ContextVar("keras_fn_device", default=None)


def device(device_name: str) -> AbstractContextManager[Any]:
    """Context manager: new tensors and variables are placed on a device.

    Without it they are placed on the first accelerator that the framework sees, else on the CPU.

    Args:
        device_name: `"cpu"`, `"gpu"`, `"cuda"` or `"mps"`, with an index if there are several:
            `"gpu:1"`, in capitals or not.

    Returns:
        The context manager.

    Raises:
        TypeError: It is not the name of a device.
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
    name = _standardize_name(device_name)
    return _device_context(cast(SupportsDeviceScope, backend).device_scope(name), name)


def _standardize_name(device_name: Any) -> str:
    """Returns a device as a kind in lower case, with a colon and an index if it was given."""
    if hasattr(device_name, "platform") and hasattr(device_name, "id"):  # of JAX
        return f"{device_name.platform}:{device_name.id}".lower()
    if hasattr(device_name, "type") and hasattr(device_name, "index"):  # of PyTorch
        return str(device_name).lower()
    if isinstance(device_name, str) and device_name:
        return device_name.lower().removeprefix("/").removeprefix("device:")  # as TensorFlow has it
    is_index = isinstance(device_name, int) and not isinstance(device_name, bool)
    raise DTypeError(
        "keras.device",
        expected="the name of a device",
        received=f"{device_name!r}",
        fix=f'for example keras.device("gpu:{device_name if is_index else 0}")',
    )


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
