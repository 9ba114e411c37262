"""Sorting and searching."""

from typing import Any

import numpy as np

from keras_fn_numpy.dtype_fallback import in_float32, wide


def sort(x: Any, axis: int = -1) -> Any:
    """`np.sort`."""
    return in_float32(np.sort)(x, axis)


def argsort(x: Any, axis: int | None = -1) -> Any:
    """Stable sort; returns indices as int32."""
    return np.argsort(wide(x), axis, "stable").astype("int32")


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """The k largest elements in descending order; ties in order of their index."""
    del sorted
    rising = np.argsort(np.flip(wide(x), -1), -1, "stable")
    indices = (x.shape[-1] - 1 - np.flip(rising, -1))[..., :k]
    return np.take_along_axis(x, indices, -1), indices.astype("int32")
