"""Where tensors are."""

from contextlib import AbstractContextManager
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.errors import Unsupported


def device(device_name: str) -> AbstractContextManager[Any]:
    """Inside, new tensors and variables go to a device.

    Outside, they go to the first accelerator that the framework sees, else to the CPU.

    Args:
        device_name: `"cpu"`, `"gpu"` or `"cuda"` or `"mps"`, with a number where there are
            several: `"gpu:1"`.

    Raises:
        ValueError: There is no such device.
        Unsupported: The backend leaves no choice.

    Example:
        >>> with keras.device("cpu"):
        ...     x = ops.zeros((2,))
    """
    backend = current()
    if not hasattr(backend, "device_scope"):
        raise Unsupported(f"The backend {backend.name!r} has no devices to choose from.",
                          fix="leave keras.device out")  # fmt: skip
    return backend.device_scope(device_name)  # pyright: ignore[reportAttributeAccessIssue]
