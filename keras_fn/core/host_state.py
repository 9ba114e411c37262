"""Values that a backup file can hold: plain values, NumPy arrays, copies of PyTorch tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class HostTensor:
    """A host copy of a PyTorch tensor, such as the state of a random generator in a data loader.

    Attributes:
        array: The values.
    """

    array: np.ndarray


def is_serializable(x: Any) -> bool:
    """Whether a backup file can hold `x`: nested numbers, text, bytes and arrays."""
    if isinstance(x, (list, tuple)):
        return all(map(is_serializable, x))
    if isinstance(x, Mapping):
        return all(is_serializable(k) and is_serializable(v) for k, v in x.items())
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biufcV"
    return x is None or isinstance(x, (bool, int, float, str, bytes, np.generic, HostTensor))
