"""Array creation: constants, ranges, diagonals, triangles."""

from typing import Any

import tensorflow as tf

from keras_fn_tensorflow.tensors import native_dtype, shape


def full(shape: Any, value: float, dtype: str) -> tf.Tensor:
    """Creates a constant tensor."""
    return tf.fill(list(shape), tf.cast(tf.constant(value), native_dtype(dtype)))


def arange(start: Any, stop: Any, step: Any, dtype: str) -> tf.Tensor:
    """`tf.range`, computed in a dtype that it supports."""
    target = native_dtype(dtype)
    exact = not target.is_floating
    wide = tf.int64 if exact else target if target == tf.float64 else tf.float32
    first, last, by = (tf.cast(limit, wide) for limit in (start, stop, step))
    # `tf.range` raises if `stop` is on the wrong side of `start`.
    last = tf.maximum(first, last) if _is_positive(step) else tf.minimum(first, last)
    return tf.cast(tf.range(first, last, by), target)


def _is_positive(step: Any) -> bool:
    return not isinstance(step, (int, float)) or step > 0


def diag(x: Any, k: int = 0) -> Any:
    """`tf.linalg.diag` of a vector, diagonal of a matrix."""
    if x.shape.rank == 1:
        return tf.linalg.diag(x, k=k)
    if x.shape.rank != 2:
        raise ValueError(f"rank {x.shape.rank}")
    return diagonal(x, k)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """`tf.linalg.diag_part`, with the two axes moved to the end."""
    rank = x.shape.rank
    rows, columns = range(rank)[axis1], range(rank)[axis2]
    if (rows, columns) != (rank - 2, rank - 1):
        rest = [i for i in range(rank) if i not in (rows, columns)]
        x = tf.transpose(x, [*rest, rows, columns])
    height, width = x.shape[-2:]
    if None not in (height, width) and not -height < offset < width:
        return tf.zeros([*shape(x)[:-2], 0], x.dtype)
    return tf.linalg.diag_part(x, k=offset)
