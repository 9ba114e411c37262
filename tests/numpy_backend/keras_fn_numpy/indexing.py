"""Indexing: basic and advanced subscripts, gather."""

from typing import Any

import numpy as np


def getitem(x: Any, key: Any) -> Any:
    """`x[key]`."""
    return x[key]


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """`np.take`; clips indices out of range, as backends that cannot raise in compiled code do."""
    size = np.size(x) if axis is None else x.shape[axis]
    return np.take(x, np.where(indices < 0, indices + size, indices), axis, mode="clip")


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """`np.take_along_axis`; flattens for axis None."""
    return np.take_along_axis(x, np.ravel(indices) if axis is None else indices, axis)
