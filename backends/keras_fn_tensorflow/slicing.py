"""Slices at dynamic positions."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.tensors import shape


def dynamic_slice(inputs: Any, starts: Any, sizes: Any) -> Any:
    """`tf.slice`, of a block that is moved inside the tensor."""
    return tf.slice(inputs, _clip_starts(inputs, starts, sizes), list(sizes))


def dynamic_slice_update(inputs: Any, starts: Any, updates: Any) -> Any:
    """`raw.TensorStridedSliceUpdate`; a scatter where it is traced, since XLA needs constants."""
    sizes = shape(updates)
    begin = _clip_starts(inputs, starts, sizes)
    if tf.get_static_value(begin) is None:
        axes = [tf.range(size) + begin[i] for i, size in enumerate(sizes)]
        indices = tf.stack(tf.meshgrid(*axes, indexing="ij"), -1)
        return tf.tensor_scatter_nd_update(inputs, indices, updates)
    return raw.TensorStridedSliceUpdate(
        input=inputs,
        begin=begin,
        end=begin + tf.stack(list(sizes)),
        strides=[1] * len(sizes),
        value=updates,
    )


def _clip_starts(x: Any, starts: Any, sizes: Any) -> Any:
    begin = tf.stack([tf.cast(start, tf.int32) for start in starts])
    limits = tf.stack(list(shape(x))) - tf.stack(list(sizes))
    return tf.maximum(tf.minimum(begin, limits), 0)
