"""Scatter: a copy of a tensor with updates at indices."""

import math
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.segments import (
    NARROW_DTYPES,
    segment_max,
    segment_min,
    segment_prod,
    segment_sum,
)
from keras_fn_tensorflow.tensors import shape


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """Scatters into the flattened leading axes; rows out of range go to a row that is cut off."""
    dtype = inputs.dtype
    if dtype in NARROW_DTYPES and reduction is not None:
        wide = (tf.cast(x, tf.int32) for x in (inputs, updates))
        inputs, updates = wide
        result = scatter_update(inputs, indices, updates, reduction)
        return tf.cast(result, dtype)
    inputs = tf.convert_to_tensor(inputs)
    if indices.dtype.is_floating:
        indices = tf.cast(indices, tf.int32)
    depth = indices.shape[-1]
    sizes = shape(inputs)
    linear, row_count = _linear_indices(indices, sizes[:depth])
    trailing = list(sizes[depth:])
    updates = tf.cast(updates, dtype)
    block = [*shape(indices)[:-1], *trailing]
    if updates.shape.as_list() != [n if isinstance(n, int) else None for n in block]:
        updates = tf.broadcast_to(updates, block)
    rows, updates = tf.reshape(inputs, [row_count, *trailing]), tf.reshape(updates, [-1, *trailing])
    linear = tf.reshape(linear, [-1])
    if 0 in rows.shape:
        return inputs
    if reduction in _SEGMENTS:
        join, segments = _SEGMENTS[reduction]
        rows = join(rows, segments(updates, linear, row_count))
    elif reduction is not None:
        raise ValueError(f"reduction {reduction}")
    else:
        padded = tf.concat([rows, tf.zeros([1, *trailing], dtype)], 0)
        indices = tf.expand_dims(linear, 1)
        rows = raw.TensorScatterUpdate(tensor=padded, indices=indices, updates=updates)[:-1]
    return tf.reshape(rows, list(sizes))


def _linear_indices(indices: Any, sizes: Any) -> tuple[Any, Any]:
    """Returns the index of each row in the flattened axes; out of range, the number of rows."""
    if indices.shape[-1] != len(sizes):
        raise ValueError(f"{indices.shape[-1]} indices for {len(sizes)} axes")
    limits = tf.cast(tf.stack(list(sizes)), indices.dtype)
    indices = tf.where(indices < 0, indices + limits, indices)
    inside = tf.reduce_all((indices >= 0) & (indices < limits), -1)
    row_count = math.prod(sizes)
    strides = tf.stack([math.prod(sizes[i + 1 :]) for i in range(len(sizes))])
    linear = tf.reduce_sum(indices * tf.cast(strides, indices.dtype), -1)
    return tf.cast(tf.where(inside, linear, tf.cast(row_count, linear.dtype)), tf.int32), row_count


_SEGMENTS = {
    "add": (tf.add, segment_sum),  # many times as fast as TensorScatterAdd
    "mul": (tf.multiply, segment_prod),
    "max": (tf.maximum, segment_max),
    "min": (tf.minimum, segment_min),
}
