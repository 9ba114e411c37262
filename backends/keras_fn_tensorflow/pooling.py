"""Max and average pooling."""

from typing import Any

import tensorflow as tf

from keras_fn.backend.conv_geometry import Sizes, per_axis
from keras_fn_tensorflow.data_format import with_native_layout
from keras_fn_tensorflow.dtype_fallback import in_float32
from keras_fn_tensorflow.elementwise import Op
from keras_fn_tensorflow.tensors import shape

# Dtypes that TensorFlow does not pool, and the dtypes in which they are pooled.
_NOT_POOLED = {tf.bool: tf.uint8, tf.uint32: tf.int64}


def max_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> tf.Tensor:
    """`tf.nn.max_pool`."""
    stand_in = _NOT_POOLED.get(inputs.dtype)
    if stand_in is not None:
        whole = max_pool(tf.cast(inputs, stand_in), pool_size, strides, padding, data_format)
        return tf.cast(whole, inputs.dtype)
    has_kernel = inputs.shape.rank < 5 or inputs.dtype in (tf.bfloat16, tf.float32)
    function = tf.nn.max_pool if has_kernel else _max_pool_3d
    return _pool(function, inputs, pool_size, strides, padding, data_format)


def _average_pool_3d(x: Any, window: Any, steps: Any, padding: str, layout: str) -> tf.Tensor:
    function = _in_two_passes(tf.nn.avg_pool2d) if x.dtype is tf.float64 else _average_pool
    return function(x, window, steps, padding, layout)


def _in_two_passes(pool_2d: Op) -> Op:
    """Makes 3D pooling of two passes over two axes, for dtypes that TensorFlow lacks there."""

    def pool(x: Any, window: Any, steps: Any, padding: str, layout: str) -> tf.Tensor:
        del layout  # on a CPU the layout is channels last
        batch, depth, height, width, channels = shape(x)
        x = tf.reshape(x, [batch * depth, height, width, channels])
        x = pool_2d(x, window[1:], steps[1:], padding)
        _, height, width, _ = shape(x)
        x = tf.reshape(x, [batch, depth, height * width, channels])
        x = pool_2d(x, (window[0], 1), (steps[0], 1), padding)
        return tf.reshape(x, [batch, shape(x)[1], height, width, channels])

    return pool


_max_pool_3d = _in_two_passes(tf.nn.max_pool2d)


def average_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> tf.Tensor:
    """`tf.nn.avg_pool`, which does not count padding."""
    function = _average_pool_3d if inputs.shape.rank == 5 else _average_pool
    return _pool(function, inputs, pool_size, strides, padding, data_format)


@in_float32
def _average_pool(x: Any, window: Any, steps: Any, padding: Any, layout: Any) -> tf.Tensor:
    return tf.nn.avg_pool(x, window, steps, padding, layout)


def _pool(
    function: Any,
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None,
    padding: str,
    data_format: str | None,
) -> tf.Tensor:
    rank = inputs.shape.rank - 2
    window = per_axis(pool_size, rank)
    steps = window if strides is None else per_axis(strides, rank)

    def run(x: Any, layout: str) -> tf.Tensor:
        result = function(x, window, steps, padding.upper(), layout)
        sizes = result.shape.as_list()
        if 0 in (sizes[2:] if layout[1] == "C" else sizes[1:-1]):
            raise ValueError(f"No window of {window} fits into {x.shape}.")
        return result

    return with_native_layout(inputs, data_format, run)
