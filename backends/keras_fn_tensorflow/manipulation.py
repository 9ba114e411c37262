"""Array manipulation: shapes, axes, joining, splitting, padding, repetition."""

from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.tensors import shape


def reshape(x: Any, newshape: Any) -> tf.Tensor:
    """`raw.Reshape`; sizes may be scalar tensors."""
    if not tf.is_tensor(newshape):
        newshape = [newshape] if isinstance(newshape, int) else list(newshape)
    return raw.Reshape(tensor=x, shape=newshape)


def transpose(x: Any, axes: Any = None) -> tf.Tensor:
    """`raw.Transpose`; reverses the axes for None."""
    rank = x.shape.rank
    order = range(rank)[::-1] if axes is None else [range(rank)[axis] for axis in axes]
    return raw.Transpose(x=x, perm=list(order))


def expand_dims(x: Any, axis: Any) -> tf.Tensor:
    """`raw.ExpandDims`, for one axis or several."""
    if isinstance(axis, int):
        return raw.ExpandDims(input=x, axis=axis)
    rank = x.shape.rank + len(axis)
    for position in sorted(range(rank)[a] for a in axis):
        x = raw.ExpandDims(input=x, axis=position)
    return tf.convert_to_tensor(x)


def squeeze(x: Any, axis: Any = None) -> tf.Tensor:
    """`raw.Squeeze`; for None, of the axes whose size is known to be 1."""
    if axis is None:
        axis = [i for i, size in enumerate(x.shape) if size == 1]
    axes = [axis] if isinstance(axis, int) else list(axis)
    return raw.Squeeze(input=x, axis=axes) if axes else tf.identity(x)


def concatenate(xs: Any, axis: int | None = 0) -> tf.Tensor:
    """`tf.concat`; flattens first for axis None."""
    if axis is None:
        xs, axis = [tf.reshape(x, [-1]) for x in xs], 0
    xs[0].shape[axis]  # for a single tensor, `tf.concat` ignores the axis
    return tf.concat(xs, axis)


def stack(x: Any, axis: int = 0) -> tf.Tensor:
    """`raw.Pack`."""
    return raw.Pack(values=list(x), axis=axis)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[tf.Tensor]:
    """Splits into equal sections, or at indices."""
    if isinstance(indices_or_sections, int):
        return list(raw.Split(axis=axis, value=x, num_split=indices_or_sections))
    size = shape(x)[axis]
    edges = list(pairwise([0, *(int(i) for i in indices_or_sections), size]))
    if isinstance(size, int):
        sizes = [len(range(size)[a:b]) for a, b in edges]
        if sum(sizes) == size:
            return list(tf.split(x, sizes, axis))
    before = (slice(None),) * range(x.shape.rank)[axis]
    return [x[(*before, slice(a, b))] for a, b in edges]


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[tf.Tensor]:
    """Returns the slices along an axis."""
    return tf.unstack(x, num, axis)


def tile(x: Any, repeats: Any) -> tf.Tensor:
    """`tf.tile`, where the rank of the tensor and the length of `repeats` may differ."""
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = x.shape.rank
    if len(repeats) > rank:
        x = tf.reshape(x, [1] * (len(repeats) - rank) + list(shape(x)))
    repeats = [1] * (rank - len(repeats)) + repeats
    if x.dtype is tf.uint16:  # the only dtype that tf.tile does not support
        return tf.cast(tf.tile(tf.cast(x, tf.int32), repeats), tf.uint16)
    return tf.tile(x, repeats)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> tf.Tensor:
    """`tf.gather` for counts that are known, which XLA can compile, else `tf.repeat`."""
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    size = x.shape[axis]
    tiles = isinstance(repeats, int) and x.dtype is not tf.uint16
    if tiles or isinstance(repeats, tf.Tensor) or size is None:
        return tf.repeat(x, repeats, axis)
    indices = np.repeat(np.arange(size, dtype="int32"), np.asarray(repeats))
    return tf.gather(x, indices, axis=axis)


def flip(x: Any, axis: Any = None) -> tf.Tensor:
    """`tf.reverse`; all axes for None."""
    axes = range(x.shape.rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return tf.reverse(x, list(axes))


def broadcast_to(x: Any, shape: Any) -> tf.Tensor:
    """`raw.BroadcastTo`."""
    return raw.BroadcastTo(input=x, shape=shape if tf.is_tensor(shape) else list(shape))


def pad_nd(x: Any, widths: Any, mode: str, value: float) -> tf.Tensor:
    """`tf.pad` for constants; other modes gather the elements to repeat."""
    if mode == "constant":
        filling = tf.cast(tf.constant(value), x.dtype)
        return raw.PadV2(input=x, paddings=list(map(list, widths)), constant_values=filling)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = tf.gather(x, _repeated(shape(x)[axis], before, after, mode), axis=axis)
    return tf.convert_to_tensor(x)


def _repeated(size: Any, before: int, after: int, mode: str) -> Any:
    """Returns the indices along an axis in the order in which padding repeats them."""
    if isinstance(size, int):
        return np.pad(np.arange(size, dtype="int32"), (before, after), mode=mode)  # type: ignore[call-overload]
    positions = tf.range(-before, size + after)
    if mode == "edge":
        return tf.clip_by_value(positions, 0, size - 1)
    if mode == "wrap":
        return positions % size
    period = 2 * size if mode == "symmetric" else tf.maximum(2 * size - 2, 1)
    positions = positions % period
    return tf.minimum(positions, period - positions - int(mode == "symmetric"))


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """`tf.roll`, with shifts and axes broadcast to each other."""
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift]
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, [-1]), sum(shifts), 0), list(shape(x)))
    axes = [axis] if isinstance(axis, int) else list(axis)
    count = max(len(shifts), len(axes))
    shifts = shifts * count if len(shifts) == 1 else shifts
    return tf.roll(x, shifts, axes * count if len(axes) == 1 else axes)
