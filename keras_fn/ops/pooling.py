"""Pooling: max, average, adaptive."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.backend.conv_geometry import Sizes, per_axis
from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops import _conv_shapes as _windows
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops.arithmetic import add, divide, minimum, subtract
from keras_fn.ops.core import shape as shape_of
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
            fix="say how many windows each axis shall have",
        )
    if 0 in _windows.spatial(inputs.shape, data_format):
        raise SpecError(
            "ops.adaptive_pool",
            expected="spatial sizes that are not 0",
            received=f"shape {inputs.shape}",
            fix="leave out empty inputs",
        )
    depth = _windows.channels(inputs.shape, data_format)
    return TensorSpec(_windows.assemble(inputs.shape[0], sizes, depth, data_format), inputs.dtype)


def _adaptive_average_pool(inputs: TensorSpec, *args: Any, **options: Any) -> TensorSpec:
    return TensorSpec(
        _adaptive_pool(inputs, *args, **options).shape, dtypes.float_type(inputs.dtype)
    )


@op(rule=Rule(_adaptive_average_pool, promote=dtypes.float_type))
def adaptive_average_pool(
    inputs: TensorLike, output_size: Sizes, data_format: str | None = None
) -> Tensor:
    """Mean of each of `output_size` windows, channel by channel.

    Along an axis of size n, window i of m reaches from `floor(i * n / m)` to
    `ceil((i + 1) * n / m)`: neighbours overlap where m does not divide n.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        output_size: How many windows: one number, or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Returns:
        A tensor of the layout of `inputs`, with `output_size` for its sizes.

    Raises:
        ValueError: `inputs` is of another rank, or `output_size` does not fit it.

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
    """Largest element of each of `output_size` windows, channel by channel.

    Windows, arguments and errors are those of `adaptive_average_pool`.

    Example:
        >>> x = reshape(arange(5.0), (1, 5, 1))
        >>> y = adaptive_max_pool(x, 3, data_format="channels_last")
        >>> convert_to_numpy(y).ravel().tolist()
        [1.0, 3.0, 4.0]
    """
    return _pool(inputs, output_size, data_format, max_pool, _max_over)


def _pool(x: Tensor, output_size: Sizes, data_format: str | None, even: Any, over: Any) -> Tensor:
    """Pools by `even`, windows of one size, where they are; else axis after axis by `over`."""
    _adaptive_pool(TensorSpec(tuple(x.shape), None), output_size, data_format)  # raises
    rank = len(x.shape) - 2
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    sizes = shape_of(x)[first : first + rank]
    pairs = list(zip(sizes, per_axis(output_size, rank), strict=True))
    if all(isinstance(n, int) and n % m == 0 for n, m in pairs):
        window = tuple(n // m for n, m in pairs)
        return even(x, window, window, "valid", data_format)
    for axis, (size, windows) in enumerate(pairs, first):
        x = over(x, axis, *_windows_of(size, windows))
    return x


def _windows_of(size: Any, windows: int) -> tuple[Any, Any, Any]:
    """Returns where the elements of each window are, which of these count, and how many do.

    Windows may differ in size: the shorter ones hold their last element more than once.
    """
    i = np.arange(windows, dtype="int32")[:, None]
    starts, ends = i * size // windows, -(-(i + 1) * size // windows)
    if isinstance(size, int):
        places = starts + np.arange((ends - starts).max(), dtype="int32")
        return np.minimum(places, ends - 1), places < ends, ends - starts
    places = add(starts, arange(size // windows + 2, dtype="int32"))  # as long as any may be
    return minimum(places, subtract(ends, 1)), less(places, ends), subtract(ends, starts)


def _mean_over(x: Tensor, axis: int, places: Any, counts: Any, number: Any) -> Tensor:
    ones = (1,) * (len(x.shape) - axis - 1)
    taken = where(reshape(counts, (*counts.shape, *ones)), take(x, places, axis), 0)
    return divide(sum_(taken, axis + 1), reshape(number, (-1, *ones)))


def _max_over(x: Tensor, axis: int, places: Any, counts: Any, number: Any) -> Tensor:
    del counts, number
    return max_(take(x, places, axis), axis + 1)


@op(rule=Rule(_windows.pool))
def max_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Largest element of each window, channel by channel.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        pool_size: Sizes of the window.
        strides: Steps of the window; its sizes by default.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Example:
        >>> max_pool(ones((1, 4, 4, 2)), 2, data_format="channels_last").shape == (1, 2, 2, 2)
        True
    """
    ...


def _average_pool(inputs: TensorSpec, *args: Any, **options: Any) -> TensorSpec:
    return TensorSpec(
        _windows.pool(inputs, *args, **options).shape, dtypes.float_type(inputs.dtype)
    )


@op(rule=Rule(_average_pool, promote=dtypes.float_type))
def average_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Mean of each window, channel by channel; padding does not count. Arguments as `max_pool`.

    Example:
        >>> average_pool(ones((1, 4, 2)), 2, data_format="channels_last").shape == (1, 2, 2)
        True
    """
    ...
