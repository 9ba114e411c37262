"""Ops that write into a copy, reductions over segments, and places in tensors."""

import math
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.tensors import _native, shape


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A scatter into the flattened leading axes; rows out of range go to a row that is cut off."""
    dtype = inputs.dtype
    if dtype in _NARROW and reduction is not None:
        wide = (tf.cast(x, tf.int32) for x in (inputs, updates))
        inputs, updates = wide
        result = scatter_update(inputs, indices, updates, reduction)
        return tf.cast(result, dtype)
    inputs = tf.convert_to_tensor(inputs)
    _check_integers(indices)
    depth = indices.shape[-1]
    sizes = shape(inputs)
    places, total = _places(indices, sizes[:depth])
    rest = list(sizes[depth:])
    updates = tf.cast(updates, dtype)
    block = [*shape(indices)[:-1], *rest]
    if updates.shape.as_list() != [n if isinstance(n, int) else None for n in block]:
        updates = tf.broadcast_to(updates, block)
    rows, updates = tf.reshape(inputs, [total, *rest]), tf.reshape(updates, [-1, *rest])
    places = tf.reshape(places, [-1])
    if 0 in rows.shape:
        return inputs
    if reduction in _SEGMENTS:
        join, segments = _SEGMENTS[reduction]
        rows = join(rows, segments(updates, places, total))
    else:
        longer = tf.concat([rows, tf.zeros([1, *rest], dtype)], 0)
        scatter = {None: raw.TensorScatterUpdate, "add": raw.TensorScatterAdd}[reduction]
        rows = scatter(tensor=longer, indices=tf.expand_dims(places, 1), updates=updates)[:-1]
    return tf.reshape(rows, list(sizes))


_NARROW = (tf.bool, tf.uint8, tf.uint16, tf.int8, tf.int16)


def _check_integers(x: Any) -> None:
    if not x.dtype.is_integer:
        raise TypeError(f"indices of {x.dtype.name}")


def _places(indices: Any, sizes: Any) -> tuple[Any, Any]:
    """The index of each row in the flattened axes, or one too much where it is out of range."""
    if indices.shape[-1] != len(sizes):
        raise ValueError(f"{indices.shape[-1]} indices for {len(sizes)} axes")
    limits = tf.cast(tf.stack(list(sizes)), indices.dtype)
    indices = tf.where(indices < 0, indices + limits, indices)
    inside = tf.reduce_all((indices >= 0) & (indices < limits), -1)
    total = math.prod(sizes)
    strides = tf.math.cumprod(limits, exclusive=True, reverse=True)
    places = tf.reduce_sum(indices * strides, -1)
    return tf.cast(tf.where(inside, places, tf.cast(total, places.dtype)), tf.int32), total


def _segment(function: Any, empty: float | None = None) -> Any:
    """A reduction of TensorFlow; `empty` is what a float segment of no elements shall be."""

    def reduce(data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False) -> Any:
        del sorted
        _check_integers(segment_ids)
        dtype = data.dtype
        if dtype in _NARROW:
            wide = reduce(tf.cast(data, tf.int32), segment_ids, num_segments)
            # What no element changed is the limit of int32.
            low, high = (False, True) if dtype is tf.bool else (dtype.min, dtype.max)
            if empty is not None:
                wide = tf.clip_by_value(wide, int(low), int(high))
            return tf.cast(wide, dtype)
        ids = segment_ids if segment_ids.dtype == tf.int64 else tf.cast(segment_ids, tf.int32)
        if num_segments is None:
            num_segments = tf.maximum(tf.reduce_max(ids), -1) + 1
        count = tf.cast(num_segments, ids.dtype)
        ids = tf.where((ids < 0) | (ids > count), count, ids)  # to a segment that is cut off
        result = function(data, ids, num_segments + 1)[:-1]
        if empty is None or not dtype.is_floating:
            return result

        # TensorFlow begins at the largest number, NumPy at infinity; and it passes by NaN.
        def any_of(held: Any) -> Any:
            held = tf.cast(held, tf.int32)
            return tf.math.unsorted_segment_max(held, ids, num_segments + 1)[:-1] > 0

        result = tf.where(any_of(tf.math.is_nan(data)), tf.constant(math.nan, dtype), result)
        return tf.where(any_of(data != empty), result, tf.constant(empty, dtype))

    return reduce


segment_sum = _segment(tf.math.unsorted_segment_sum)
segment_prod = _segment(tf.math.unsorted_segment_prod)
segment_max = _segment(tf.math.unsorted_segment_max, -math.inf)
segment_min = _segment(tf.math.unsorted_segment_min, math.inf)


_SEGMENTS = {
    "mul": (tf.multiply, segment_prod),
    "max": (tf.maximum, segment_max),
    "min": (tf.minimum, segment_min),
}


def dynamic_slice(inputs: Any, starts: Any, sizes: Any) -> Any:
    """`tf.slice`, of a block that is moved inside."""
    return tf.slice(inputs, _inside(inputs, starts, sizes), list(sizes))


def dynamic_slice_update(inputs: Any, starts: Any, updates: Any) -> Any:
    """A strided assignment to a copy."""
    sizes = shape(updates)
    begin = _inside(inputs, starts, sizes)
    return raw.TensorStridedSliceUpdate(
        input=inputs,
        begin=begin,
        end=begin + tf.stack(list(sizes)),
        strides=[1] * len(sizes),
        value=updates,
    )


def _inside(x: Any, starts: Any, sizes: Any) -> Any:
    begin = tf.stack([tf.cast(start, tf.int32) for start in starts])
    limits = tf.stack(list(shape(x))) - tf.stack(list(sizes))
    return tf.maximum(tf.minimum(begin, limits), 0)


def view(x: Any, dtype: Any = None) -> Any:
    """`tf.bitcast`, to smaller elements along an axis that is added and joined again."""
    if dtype is None:
        return tf.identity(x)
    native = _native(dtype)
    if native.size == x.dtype.size:
        return tf.bitcast(x, native)
    *before, last = shape(x)
    if native.size < x.dtype.size:
        times = x.dtype.size // native.size
        return tf.reshape(tf.bitcast(x, native), [*before, last * times])
    times = native.size // x.dtype.size
    return tf.bitcast(tf.reshape(x, [*before, last // times, times]), native)


def nonzero(x: Any) -> tuple[Any, ...]:
    """`tf.where`, an axis at a time."""
    return tuple(tf.unstack(tf.cast(tf.where(tf.cast(x, tf.bool)), tf.int32), x.shape.rank, axis=1))


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """`tf.roll`, which wants as many shifts as axes."""
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift]
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, [-1]), sum(shifts), 0), list(shape(x)))
    axes = [axis] if isinstance(axis, int) else list(axis)
    count = max(len(shifts), len(axes))
    shifts = shifts * count if len(shifts) == 1 else shifts
    return tf.roll(x, shifts, axes * count if len(axes) == 1 else axes)


def diag(x: Any, k: int = 0) -> Any:
    """`tf.linalg.diag`, and back."""
    if x.shape.rank == 1:
        return tf.linalg.diag(x, k=k)
    if x.shape.rank != 2:
        raise ValueError(f"rank {x.shape.rank}")
    return diagonal(x, k)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """`tf.linalg.diag_part` of the axes, brought to the end."""
    rank = x.shape.rank
    rows, columns = axis1 % rank, axis2 % rank
    if (rows, columns) != (rank - 2, rank - 1):
        rest = [i for i in range(rank) if i not in (rows, columns)]
        x = tf.transpose(x, [*rest, rows, columns])
    height, width = x.shape[-2:]
    if None not in (height, width) and not -height < offset < width:
        return tf.zeros([*shape(x)[:-2], 0], x.dtype)
    return tf.linalg.diag_part(x, k=offset)
