"""Ops that move elements about: shapes, joins, splits, order; and tensors made of a shape."""

from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.tensors import _native, shape


def full(shape: Any, value: float, dtype: str) -> tf.Tensor:
    """A constant."""
    return tf.fill(list(shape), tf.cast(tf.constant(value), _native(dtype)))


def arange(start: Any, stop: Any, step: Any, dtype: str) -> tf.Tensor:
    """Numbers at equal steps. TensorFlow counts in these dtypes only, the others are cast."""
    native = _native(dtype)
    exact = not native.is_floating
    wide = tf.int64 if exact else native if native == tf.float64 else tf.float32
    first, last, by = (tf.cast(limit, wide) for limit in (start, stop, step))
    # TensorFlow refuses limits that lie the wrong way round.
    last = tf.maximum(first, last) if _is_positive(step) else tf.minimum(first, last)
    return tf.cast(tf.range(first, last, by), native)


def _is_positive(step: Any) -> bool:
    return not isinstance(step, (int, float)) or step > 0


def reshape(x: Any, newshape: Any) -> tf.Tensor:
    """Sizes may be scalar tensors."""
    return raw.Reshape(tensor=x, shape=[newshape] if isinstance(newshape, int) else list(newshape))


def transpose(x: Any, axes: Any = None) -> tf.Tensor:
    """Reverses the axes for None."""
    rank = x.shape.rank
    order = range(rank)[::-1] if axes is None else [axis % rank for axis in axes]
    return raw.Transpose(x=x, perm=list(order))


def expand_dims(x: Any, axis: Any) -> tf.Tensor:
    """Several axes count in the result."""
    if isinstance(axis, int):
        return raw.ExpandDims(input=x, axis=axis)
    rank = x.shape.rank + len(axis)
    for place in sorted(a % rank for a in axis):
        x = raw.ExpandDims(input=x, axis=place)
    return tf.convert_to_tensor(x)


def squeeze(x: Any, axis: Any = None) -> tf.Tensor:
    """For None, the axes that are known to have size 1."""
    if axis is None:
        axis = [i for i, size in enumerate(x.shape) if size == 1]
    axes = [axis] if isinstance(axis, int) else list(axis)
    return raw.Squeeze(input=x, axis=axes) if axes else tf.identity(x)


def concatenate(xs: Any, axis: int | None = 0) -> tf.Tensor:
    """For None, of the flattened tensors."""
    if axis is None:
        xs, axis = [tf.reshape(x, [-1]) for x in xs], 0
    return tf.concat(xs, axis)


def stack(x: Any, axis: int = 0) -> tf.Tensor:
    """Joins along a new axis."""
    return raw.Pack(values=list(x), axis=axis)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[tf.Tensor]:
    """Equal parts, or parts that begin at the given indices."""
    if isinstance(indices_or_sections, int):
        return list(raw.Split(axis=axis, value=x, num_split=indices_or_sections))
    starts = [0, *(int(i) for i in indices_or_sections)]
    sizes = [b - a for a, b in pairwise(starts)]
    return list(tf.split(x, [*sizes, -1], axis))


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[tf.Tensor]:
    """The slices along an axis."""
    return tf.unstack(x, num, axis)


def tile(x: Any, repeats: Any) -> tf.Tensor:
    """As NumPy, where the tensor and `repeats` may differ in rank."""
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = x.shape.rank
    if len(repeats) > rank:
        x = tf.reshape(x, [1] * (len(repeats) - rank) + list(shape(x)))
    repeats = [1] * (rank - len(repeats)) + repeats
    if x.dtype is tf.uint16:  # the one dtype that tf.tile lacks
        return tf.cast(tf.tile(tf.cast(x, tf.int32), repeats), tf.uint16)
    return tf.tile(x, repeats)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> tf.Tensor:
    """Numbers of repeats that are known become indices, which XLA can compile."""
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    size = x.shape[axis]
    tiles = isinstance(repeats, int) and x.dtype is not tf.uint16
    if tiles or isinstance(repeats, tf.Tensor) or size is None:
        return tf.repeat(x, repeats, axis)
    indices = np.repeat(np.arange(size, dtype="int32"), np.asarray(repeats))
    return tf.gather(x, indices, axis=axis)


def flip(x: Any, axis: Any = None) -> tf.Tensor:
    """All axes for None."""
    axes = range(x.shape.rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return tf.reverse(x, list(axes))


def broadcast_to(x: Any, shape: Any) -> tf.Tensor:
    """Repeats axes of size 1."""
    return raw.BroadcastTo(input=x, shape=list(shape))


def pad(
    x: Any, pad_width: Any, mode: str = "constant", constant_values: float | None = None
) -> tf.Tensor:
    """Mirrors more than once where an axis is shorter than its padding, as NumPy does."""
    widths = np.broadcast_to(np.asarray(pad_width, "int32"), (x.shape.rank, 2))
    if mode == "constant":
        value = tf.cast(tf.constant(constant_values or 0), x.dtype)
        return raw.PadV2(input=x, paddings=widths, constant_values=value)
    edge = 1 if mode == "reflect" else 0  # elements that a mirror leaves out
    while widths.any():
        sizes = np.array([[np.iinfo("int32").max if n is None else n - edge] for n in x.shape])
        now = np.minimum(widths, sizes)
        x = raw.MirrorPad(input=x, paddings=now, mode=mode.upper())
        widths = widths - now
    return tf.convert_to_tensor(x)


def _ordered(x: Any) -> tf.Tensor:
    """A tensor that `top_k`, on which sorting rests, can compare, also under XLA."""
    return tf.cast(x, tf.int32) if x.dtype in (tf.bool, tf.uint16) else x


def sort(x: Any, axis: int = -1) -> tf.Tensor:
    """Rising order."""
    return tf.cast(tf.sort(_ordered(x), axis), x.dtype)


def argsort(x: Any, axis: int | None = -1) -> tf.Tensor:
    """Stable, as int32."""
    if axis is None:
        x, axis = tf.reshape(x, [-1]), -1
    return tf.argsort(_ordered(x), axis, stable=True)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[tf.Tensor, tf.Tensor]:
    """The largest elements and their places."""
    values, indices = tf.math.top_k(_ordered(x), k, sorted)
    return tf.cast(values, x.dtype), indices
