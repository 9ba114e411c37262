"""Segment reductions."""

import math
from typing import Any

import tensorflow as tf

from keras_fn_tensorflow.dtype_fallback import in_float32

NARROW_DTYPES = (tf.bool, tf.uint8, tf.uint16, tf.int8, tf.int16)


def check_integers(x: Any) -> None:
    if not x.dtype.is_integer:
        raise TypeError(f"indices of {x.dtype.name}")


def _segment(function: Any, empty: float | None = None) -> Any:
    """Adapts a segment reduction; `empty` is the result of an empty segment of floats."""

    def reduce(data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False) -> Any:
        del sorted
        check_integers(segment_ids)
        if isinstance(num_segments, int) and num_segments < 0:
            raise ValueError(f"{num_segments} segments")
        dtype = data.dtype
        if dtype in NARROW_DTYPES:
            wide = reduce(tf.cast(data, tf.int32), segment_ids, num_segments)
            # Empty segments have the limit of int32.
            low, high = (False, True) if dtype is tf.bool else (dtype.min, dtype.max)
            if empty is not None:
                wide = tf.clip_by_value(wide, int(low), int(high))
            return tf.cast(wide, dtype)
        ids = segment_ids if segment_ids.dtype == tf.int64 else tf.cast(segment_ids, tf.int32)
        if num_segments is None:
            num_segments = tf.maximum(tf.reduce_max(ids), -1) + 1
        count = tf.cast(num_segments, ids.dtype)
        ids = tf.where((ids < 0) | (ids > count), count, ids)  # to an extra segment that is cut off
        result = function(data, ids, num_segments + 1)[:-1]
        if empty is None or not dtype.is_floating:
            return result

        # TensorFlow starts at the largest finite number, NumPy at infinity; and it ignores NaN.
        def any_of(held: Any) -> Any:
            held = tf.cast(held, tf.int32)
            return tf.math.unsorted_segment_max(held, ids, num_segments + 1)[:-1] > 0

        result = tf.where(any_of(tf.math.is_nan(data)), tf.constant(math.nan, dtype), result)
        return tf.where(any_of(data != empty), result, tf.constant(empty, dtype))

    return reduce


segment_sum = in_float32(_segment(tf.math.unsorted_segment_sum))

segment_prod = in_float32(_segment(tf.math.unsorted_segment_prod))

segment_max = _segment(tf.math.unsorted_segment_max, -math.inf)

segment_min = _segment(tf.math.unsorted_segment_min, math.inf)
