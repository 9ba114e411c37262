"""Axis order of windowed ops: channels last and channels first."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_fn.settings import standardize_data_format
from keras_fn_tensorflow.device import has_gpu
from keras_fn_tensorflow.tensors import shape

_LAYOUTS = {1: "NWC", 2: "NHWC", 3: "NDHWC"}


def with_native_layout(
    x: Any, data_format: str | None, function: Callable[[Any, str], tf.Tensor]
) -> tf.Tensor:
    """Calls `function(x, layout)`; transposes on a CPU, which supports channels last only."""
    rank = x.shape.rank
    if x.shape[0] == 0:  # of an empty batch, oneDNN returns the shape of the input
        one = tf.zeros([1, *x.shape[1:]], x.dtype)
        return with_native_layout(one, data_format, function)[:0]
    last = _LAYOUTS[rank - 2]
    if standardize_data_format(data_format) == "channels_last":
        return function(x, last)
    if has_gpu():
        return function(x, "NC" + last[1:-1])
    result = function(tf.transpose(x, [0, *range(2, rank), 1]), last)
    return tf.transpose(result, [0, rank - 1, *range(1, rank - 1)])


def full_rank(sizes: Any, layout: str) -> list[int]:
    """Returns sizes or strides for all axes: 1 for batch and channels."""
    return [1, 1, *sizes] if layout[1] == "C" else [1, *sizes, 1]


def spatial_sizes(x: Any, layout: str) -> tuple[Any, ...]:
    sizes = shape(x)
    return sizes[2:] if layout[1] == "C" else sizes[1:-1]
