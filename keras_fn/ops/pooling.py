"""Pooling: maximum, average and adaptive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.backend.conv_geometry import Sizes, per_axis
from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops import _conv_shapes
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops.arithmetic import add, divide, floor_divide, minimum, multiply, negative, subtract
from keras_fn.ops.core import convert_to_tensor, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import less, where
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.reductions import max as max_, sum as sum_
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor, TensorLike


def _adaptive_pool(
    inputs: TensorSpec, output_size: Sizes, data_format: str | None = None
) -> TensorSpec:
    rank = len(inputs.shape) - 2
    if rank not in (1, 2, 3):
        raise SpecError(
            "ops.adaptive_pool",
            expected="inputs of rank 3, 4 or 5",
            received=f"shape {inputs.shape}",
            fix="add the batch axis and the channel axis",
        )
    sizes = per_axis(output_size, rank)
    if len(sizes) != rank or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise SpecError(
            "ops.adaptive_pool",
            expected=f"output_size: a positive integer, or {rank}, one for each spatial axis",
            received=f"output_size={output_size!r}",
            fix="set the number of windows along each axis",
        )
    if 0 in _conv_shapes.spatial(inputs.shape, data_format):
        raise SpecError(
            "ops.adaptive_pool",
            expected="spatial sizes that are not 0",
            received=f"shape {inputs.shape}",
            fix="remove the empty inputs",
        )
    channels = _conv_shapes.channels(inputs.shape, data_format)
    shape = _conv_shapes.assemble(inputs.shape[0], sizes, channels, data_format)
    return TensorSpec(shape, inputs.dtype)


def _adaptive_average_pool(inputs: TensorSpec, *args: Any, **options: Any) -> TensorSpec:
    return TensorSpec(
        _adaptive_pool(inputs, *args, **options).shape, dtypes.float_type(inputs.dtype)
    )


@op(rule=Rule(_adaptive_average_pool, promote=dtypes.float_type), upcast_half=True)
def adaptive_average_pool(
    inputs: TensorLike, output_size: Sizes, data_format: str | None = None
) -> Tensor:
    """Adaptive average pooling: averages over as many windows as the output has elements.

    Along an axis of size n, window i of m ranges from `floor(i * n / m)` to
    `ceil((i + 1) * n / m)`: adjacent windows overlap where m does not divide n.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`, with
            1, 2 or 3 spatial axes.
        output_size: Spatial sizes of the output: an integer, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A float tensor in the data format of `inputs`, with spatial sizes `output_size`.

    Raises:
        ValueError: `inputs` has the wrong rank, or `output_size` does not match it.

    Example:
        >>> x = reshape(arange(5.0), (1, 5, 1))
        >>> y = adaptive_average_pool(x, 3, data_format="channels_last")
        >>> convert_to_numpy(y).ravel().tolist()
        [0.5, 2.0, 3.5]
    """
    return _pool(inputs, output_size, data_format, average_pool, _mean_over)


@op(rule=Rule(_adaptive_pool))
def adaptive_max_pool(
    inputs: TensorLike, output_size: Sizes, data_format: str | None = None
) -> Tensor:
    """Adaptive max pooling: the maximum of as many windows as the output has elements.

    Along an axis of size n, window i of m ranges from `floor(i * n / m)` to
    `ceil((i + 1) * n / m)`: adjacent windows overlap where m does not divide n.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`, with
            1, 2 or 3 spatial axes.
        output_size: Spatial sizes of the output: an integer, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor in the dtype and data format of `inputs`, with spatial sizes `output_size`.

    Raises:
        ValueError: `inputs` has the wrong rank, or `output_size` does not match it.

    Example:
        >>> x = reshape(arange(5.0), (1, 5, 1))
        >>> y = adaptive_max_pool(x, 3, data_format="channels_last")
        >>> convert_to_numpy(y).ravel().tolist()
        [1.0, 3.0, 4.0]
    """
    return _pool(inputs, output_size, data_format, max_pool, _max_over)


def _pool(
    x: Any,
    output_size: Sizes,
    data_format: str | None,
    pool_even: Callable[..., Tensor],
    reduce: Callable[..., Tensor],
) -> Tensor:
    """Pools by `pool_even` where all windows have one size, otherwise axis by axis by `reduce`."""
    _adaptive_pool(TensorSpec(tuple(x.shape), None), output_size, data_format)  # raises
    rank = len(x.shape) - 2
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    sizes = shape_of(x)[first : first + rank]
    pairs = list(zip(sizes, per_axis(output_size, rank), strict=True))
    if all(isinstance(n, int) and n % m == 0 for n, m in pairs):
        window = tuple(n // m for n, m in pairs)
        return pool_even(x, window, window, "valid", data_format)
    for axis, (size, windows) in enumerate(pairs, first):
        x = reduce(x, axis, *_windows_of(size, windows))
    return x


def _windows_of(size: Any, windows: int) -> tuple[Any, Any, Any]:
    """Returns the indices of the elements of each window, a mask of those that count, their number.

    Windows may differ in size: the shorter ones repeat their last element.
    """
    i = np.arange(windows, dtype="int32")[:, None]
    if isinstance(size, int):
        starts, ends = i * size // windows, -(-(i + 1) * size // windows)
        # A Python number: Dynamo knows no values of arrays.
        longest = max(-(-(k + 1) * size // windows) - k * size // windows for k in range(windows))
        indices = starts + np.arange(longest, dtype="int32")
        return np.minimum(indices, ends - 1), indices < ends, ends - starts
    length = convert_to_tensor(size, "int32")
    starts = floor_divide(multiply(i, length), windows)
    ends = negative(floor_divide(multiply(-(i + 1), length), windows))
    indices = add(starts, arange(size // windows + 2, dtype="int32"))  # the longest window
    return minimum(indices, subtract(ends, 1)), less(indices, ends), subtract(ends, starts)


def _mean_over(x: Tensor, axis: int, indices: Any, mask: Any, counts: Any) -> Tensor:
    ones = (1,) * (len(x.shape) - axis - 1)
    elements = where(reshape(mask, (mask.shape[0], -1, *ones)), take(x, indices, axis), 0)
    return divide(sum_(elements, axis + 1), reshape(counts, (-1, *ones)))


def _max_over(x: Tensor, axis: int, indices: Any, mask: Any, counts: Any) -> Tensor:
    del mask, counts
    return max_(take(x, indices, axis), axis + 1)


@op(rule=Rule(_conv_shapes.pool))
def max_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Max pooling: the maximum of each window, for each channel.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`, with
            1, 2 or 3 spatial axes.
        pool_size: Size of the window: an integer, or one for each spatial axis.
        strides: Stride of the window: an integer, or one for each axis; `pool_size` by default.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor in the dtype and data format of `inputs`; its spatial sizes count the windows.

    Raises:
        ValueError: `inputs` has the wrong rank, or the window does not fit.

    Example:
        >>> max_pool(ones((1, 4, 4, 2)), 2, data_format="channels_last").shape == (1, 2, 2, 2)
        True
    """
    ...


def _average_pool(inputs: TensorSpec, *args: Any, **options: Any) -> TensorSpec:
    return TensorSpec(
        _conv_shapes.pool(inputs, *args, **options).shape, dtypes.float_type(inputs.dtype)
    )


@op(rule=Rule(_average_pool, promote=dtypes.float_type))
def average_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Average pooling: the mean of each window, for each channel. Padding does not count.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)` or `(batch, channels, *sizes)`, with
            1, 2 or 3 spatial axes.
        pool_size: Size of the window: an integer, or one for each spatial axis.
        strides: Stride of the window: an integer, or one for each axis; `pool_size` by default.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A float tensor in the data format of `inputs`; its spatial sizes count the windows.

    Raises:
        ValueError: `inputs` has the wrong rank, or the window does not fit.

    Example:
        >>> average_pool(ones((1, 4, 2)), 2, data_format="channels_last").shape == (1, 2, 2)
        True
    """
    ...
