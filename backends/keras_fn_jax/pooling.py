"""Max and average pooling."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from keras_fn.backend.conv_geometry import Sizes, per_axis, standardize_padding
from keras_fn.settings import standardize_data_format
from keras_fn_jax.data_format import SPATIAL_LETTERS, check_window_fits
from keras_fn_jax.dtype_fallback import in_float32
from keras_fn_jax.op_jit import compile_op


def _windows(x: jax.Array, pool_size: Sizes, strides: Sizes | None, data_format: str | None):
    rank = x.ndim - 2
    if rank not in SPATIAL_LETTERS:
        raise ValueError(f"Pooling needs 1 to 3 spatial axes; the shape is {x.shape}.")
    window = per_axis(pool_size, rank)
    steps = window if strides is None else per_axis(strides, rank)
    if standardize_data_format(data_format) == "channels_last":
        return (1, *window, 1), (1, *steps, 1)
    return (1, 1, *window), (1, 1, *steps)


def _lowest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.floating):
        return -jnp.inf
    return False if dtype.kind == "b" else jnp.iinfo(dtype).min


@compile_op
def max_pool(
    inputs: jax.Array,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """`lax.reduce_window` with the maximum."""
    window, steps = _windows(inputs, pool_size, strides, data_format)
    lowest = np.array(_lowest(inputs.dtype), inputs.dtype)
    result = lax.reduce_window(inputs, lowest, lax.max, window, steps, padding.upper())
    return check_window_fits(inputs, result)


@compile_op
@in_float32
def average_pool(
    inputs: jax.Array,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """Sum of each window divided by its number of elements, padding not counted."""
    window, steps = _windows(inputs, pool_size, strides, data_format)
    total = lax.reduce_window(inputs, 0.0, lax.add, window, steps, padding.upper())
    total = check_window_fits(inputs, total)
    if standardize_padding(padding) == "valid":
        count = 1
        for n in window:
            count *= n
        return total / count
    ones = jnp.ones((1, *inputs.shape[1:]), inputs.dtype)
    return total / lax.reduce_window(ones, 0.0, lax.add, window, steps, padding.upper())
