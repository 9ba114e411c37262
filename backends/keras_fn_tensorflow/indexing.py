"""Ops that select by index."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.device import has_gpu
from keras_fn_tensorflow.tensors import convert_to_tensor, is_tensor, shape


def _to_index_dtype(x: Any) -> tf.Tensor:
    """Indices in a dtype that gather takes."""
    return x if x.dtype in (tf.int32, tf.int64) else tf.cast(x, tf.int32)


def _wrap_and_clip(indices: tf.Tensor, size: Any) -> tf.Tensor:
    """Counts negative indices from the front, and clips those out of range: XLA cannot raise."""
    if not isinstance(size, int):
        size = tf.cast(size, indices.dtype)
    inside = raw.Minimum(x=raw.Maximum(x=indices, y=-size), y=size - 1)
    return raw.FloorMod(x=inside, y=size)


def take(x: Any, indices: Any, axis: int | None = None) -> tf.Tensor:
    """A gather, straight from a variable where `x` is one."""
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    indices = _to_index_dtype(indices)
    if tf.executing_eagerly() and not has_gpu():
        try:
            return _gather(x, indices, axis)
        except tf.errors.InvalidArgumentError:
            pass  # an index is negative or out of range, which only a CPU finds out by itself
    if x.shape[axis] != 0:  # where nothing is, nothing is at the front
        indices = _wrap_and_clip(indices, shape(x)[axis])
    return _gather(x, indices, axis)


def _gather(x: Any, indices: tf.Tensor, axis: int) -> tf.Tensor:
    if isinstance(x, tf.Variable):
        return tf.gather(x, indices, axis=axis)
    return raw.GatherV2(params=x, indices=indices, axis=axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> tf.Tensor:
    """A gather whose other axes are batches."""
    indices = _to_index_dtype(indices)
    if axis is None:
        x, indices, axis = tf.reshape(x, [-1]), tf.reshape(indices, [-1]), 0
    rank = len(x.shape)
    x.shape[axis]  # raises for an axis that is not there
    axis %= rank
    indices = _wrap_and_clip(indices, shape(x)[axis])
    order = [i for i in range(rank) if i != axis] + [axis]
    back = [*range(axis), rank - 1, *range(axis, rank - 1)]
    if axis != rank - 1:
        x, indices = tf.transpose(x, order), tf.transpose(indices, order)
    a, b = shape(x), shape(indices)
    if a[:-1] != b[:-1]:
        batch = _broadcast_sizes(a[:-1], b[:-1])
        x = tf.broadcast_to(x, [*batch, a[-1]])
        indices = tf.broadcast_to(indices, [*batch, b[-1]])
    result = tf.gather(x, indices, batch_dims=rank - 1, axis=rank - 1)
    return result if axis == rank - 1 else tf.transpose(result, back)


def _broadcast_sizes(a: Any, b: Any) -> list[Any]:
    return [n if isinstance(m, int) and m == 1 else m for m, n in zip(a, b, strict=True)]


def getitem(x: Any, key: Any) -> tf.Tensor:
    """`x[key]` as NumPy has it; TensorFlow's own slices know no tensors of indices."""
    keys = [_index(k) for k in (key if isinstance(key, tuple) else (key,))]
    if not any(_is_array(k) for k in keys):
        return x[tuple(keys)]
    return _gather_key(x, keys)


def _index(k: Any) -> Any:
    """An array, a list or a Variable of indices becomes a tensor."""
    if isinstance(k, slice):
        return slice(*(getattr(bound, "value", bound) for bound in (k.start, k.stop, k.step)))
    if k is None or k is Ellipsis or isinstance(k, (int, np.integer)) or is_tensor(k):
        return k
    return convert_to_tensor(getattr(k, "value", k))


def _is_array(k: Any) -> bool:
    return is_tensor(k) and (k.shape.rank != 0 or k.dtype is tf.bool)


def _gather_key(x: Any, keys: list[Any]) -> tf.Tensor:
    """Indexes with tensors among the keys: slices first, then one gather."""
    keys = _without_ellipsis(x, _without_booleans(keys))
    plain = [slice(None) if _picks(k) else k for k in keys]
    places = [i for i, k in enumerate(keys) if _picks(k)]
    x = x[tuple(plain)]
    sizes = shape(x)
    indices = []
    for i in places:
        k = tf.convert_to_tensor(keys[i])
        k = k if k.dtype in (tf.int32, tf.int64) else tf.cast(k, tf.int32)
        size = tf.cast(sizes[i], k.dtype)
        indices.append(tf.cast(tf.where(k < 0, k + size, k), tf.int32))
    if len(places) == 1:
        return tf.gather(x, indices[0], axis=places[0])
    rest = [i for i in range(len(sizes)) if i not in places]
    common = indices[0]
    for index in indices[1:]:
        common = common + tf.zeros_like(index)  # to the shape that all broadcast to
    stacked = tf.stack([index + tf.zeros_like(common) for index in indices], axis=-1)
    result = tf.gather_nd(tf.transpose(x, places + rest), stacked)
    if places != list(range(places[0], places[0] + len(places))):
        return result  # NumPy: indices that stand apart put their axes first
    width, before = stacked.shape.rank - 1, places[0]
    rank = width + len(rest)
    order = [*range(width, width + before), *range(width), *range(width + before, rank)]
    return tf.transpose(result, order)


def _picks(k: Any) -> bool:
    """Whether a key picks elements: a tensor, or beside one an integer."""
    return is_tensor(k) or isinstance(k, (int, np.integer))


def _without_booleans(keys: list[Any]) -> list[Any]:
    """Replaces a tensor of booleans by the indices of those that hold, one tensor an axis."""
    found: list[Any] = []
    for k in keys:
        if is_tensor(k) and k.dtype is tf.bool:
            found += tf.unstack(tf.where(k), k.shape.rank, axis=1)
        else:
            found.append(k)
    return found


def _without_ellipsis(x: Any, keys: list[Any]) -> list[Any]:
    """Writes `...` out as slices, to the full rank."""
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), len(keys))
    after = keys[at + 1 :]
    used = sum(k is not None for k in keys[:at] + after)
    return keys[:at] + [slice(None)] * (x.shape.rank - used) + after
