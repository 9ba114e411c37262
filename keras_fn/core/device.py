"""Where tensors are."""

from contextlib import AbstractContextManager
from typing import Any

from keras_fn.backend.loader import current


def device(device_name: str) -> AbstractContextManager[Any]:
    """Inside, new tensors and variables go to a device.

    Outside, they go to the first accelerator that the framework sees, else to the CPU.

    Args:
        device_name: `"cpu"`, `"gpu"` or `"cuda"` or `"mps"`, with a number where there are
            several: `"gpu:1"`.

    Raises:
        ValueError: There is no such device.

    Example:
        >>> with keras.device("cpu"):
        ...     x = ops.zeros((2,))
    """
    return current().device_scope(device_name)
