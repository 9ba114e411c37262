"""Indexing: basic and advanced subscripts, gather."""

from typing import Any

import numpy as np


def getitem(x: Any, key: Any) -> Any:
    """`x[key]`."""
    return x[key]


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Clips indices out of range, as do the backends that cannot raise in a compiled function."""
    size = np.size(x) if axis is None else x.shape[axis]
    return np.take(x, np.where(indices < 0, indices + size, indices), axis, mode="clip")


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """For None, of the flattened tensors."""
    return np.take_along_axis(x, np.ravel(indices) if axis is None else indices, axis)
