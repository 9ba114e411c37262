"""Max and average pooling."""

from typing import Any

import numpy as np

from keras_fn.backend.conv_geometry import Sizes, per_axis
from keras_fn_numpy.convolution import window_views
from keras_fn_numpy.data_format import from_channels_last, to_channels_last
from keras_fn_numpy.dtype_fallback import in_float32


def _pool_windows(
    reduce: Any, x: Any, pool_size: Sizes, strides: Sizes | None, padding: str, fill: Any = 0
) -> Any:
    window = per_axis(pool_size, x.ndim - 2)
    if not window:
        raise ValueError("there are no spatial axes to pool over")
    views = window_views(x, window, window if strides is None else strides, padding, fill=fill)
    return reduce(views, tuple(range(-len(window), 0)))


def max_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Maximum of each window."""
    x = to_channels_last(inputs, data_format)
    if x.dtype.kind in "iu":
        lowest: Any = np.iinfo(x.dtype).min
    else:
        lowest = False if x.dtype.kind == "b" else -np.inf
    return from_channels_last(
        _pool_windows(np.max, x, pool_size, strides, padding, lowest), data_format
    )


@in_float32
def average_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Sum of each window divided by its number of elements, padding not counted."""
    x = to_channels_last(inputs, data_format)
    total = _pool_windows(np.sum, x, pool_size, strides, padding)
    count = _pool_windows(
        np.sum, np.ones_like(x, shape=(1, *x.shape[1:])), pool_size, strides, padding
    )
    return from_channels_last(total / count, data_format)
