"""Indexing: basic and advanced subscripts, gather."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.device import has_gpu
from keras_fn_tensorflow.tensors import convert_to_tensor, is_tensor, shape


def _to_index_dtype(x: Any) -> tf.Tensor:
    """Casts indices to a dtype that gather supports."""
    return x if x.dtype in (tf.int32, tf.int64) else tf.cast(x, tf.int32)


def _wrap_and_clip(indices: tf.Tensor, size: Any) -> tf.Tensor:
    """Wraps negative indices and clips those out of range: XLA cannot raise."""
    if not isinstance(size, int):
        size = tf.cast(size, indices.dtype)
    inside = raw.Minimum(x=raw.Maximum(x=indices, y=-size), y=size - 1)
    return raw.FloorMod(x=inside, y=size)


def take(x: Any, indices: Any, axis: int | None = None) -> tf.Tensor:
    """`tf.gather`, directly from a variable if `x` is one."""
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    indices = _to_index_dtype(indices)
    if tf.executing_eagerly() and not has_gpu():
        try:
            return _gather(x, indices, axis)
        except tf.errors.InvalidArgumentError:
            pass  # an index is negative or out of range, which only the CPU kernel checks
    if x.shape[axis] != 0:  # an empty axis has no valid index
        indices = _wrap_and_clip(indices, shape(x)[axis])
    return _gather(x, indices, axis)


def _gather(x: Any, indices: tf.Tensor, axis: int) -> tf.Tensor:
    if isinstance(x, tf.Variable):
        return tf.gather(x, indices, axis=axis)
    return raw.GatherV2(params=x, indices=indices, axis=axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> tf.Tensor:
    """`tf.gather` with the other axes as batch axes."""
    indices = _to_index_dtype(indices)
    if axis is None:
        x, indices, axis = tf.reshape(x, [-1]), tf.reshape(indices, [-1]), 0
    rank = len(x.shape)
    x.shape[axis]  # raises for an axis out of range
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
    """`x[key]` as in NumPy; TensorFlow's slicing does not support index tensors."""
    keys = [_index(k) for k in (key if isinstance(key, tuple) else (key,))]
    if not any(_is_array(k) for k in keys):
        return x[tuple(keys)]
    return _gather_key(x, keys)


def _index(k: Any) -> Any:
    """Converts an array, a list or a Variable of indices to a tensor."""
    if isinstance(k, slice):
        return slice(*(getattr(bound, "value", bound) for bound in (k.start, k.stop, k.step)))
    if k is None or k is Ellipsis or isinstance(k, (int, np.integer)) or is_tensor(k):
        return k
    index = convert_to_tensor(getattr(k, "value", k))
    if index.dtype.is_floating and 0 not in index.shape:
        raise TypeError(f"indices of {index.dtype.name}")
    return index


def _is_array(k: Any) -> bool:
    return is_tensor(k) and (k.shape.rank != 0 or k.dtype is tf.bool)


def _gather_key(x: Any, keys: list[Any]) -> tf.Tensor:
    """Indexes with tensors among the keys: slices first, then one gather."""
    keys = _without_ellipsis(x, _without_booleans(keys))
    plain = [slice(None) if _picks(k) else k for k in keys]
    axes = [i for i, k in enumerate(keys) if _picks(k)]
    x = x[tuple(plain)]
    sizes = shape(x)
    indices = []
    for i in axes:
        k = tf.convert_to_tensor(keys[i])
        k = k if k.dtype in (tf.int32, tf.int64) else tf.cast(k, tf.int32)
        size = tf.cast(sizes[i], k.dtype)
        indices.append(tf.cast(tf.where(k < 0, k + size, k), tf.int32))
    if len(axes) == 1:
        return tf.gather(x, indices[0], axis=axes[0])
    other_axes = [i for i in range(len(sizes)) if i not in axes]
    common = indices[0]
    for index in indices[1:]:
        common = common + tf.zeros_like(index)  # broadcasts to the common shape
    stacked = tf.stack([index + tf.zeros_like(common) for index in indices], axis=-1)
    result = tf.gather_nd(tf.transpose(x, axes + other_axes), stacked)
    if axes != list(range(axes[0], axes[0] + len(axes))):
        return result  # as in NumPy, axes of separated advanced indices come first
    width, before = stacked.shape.rank - 1, axes[0]
    rank = width + len(other_axes)
    order = [*range(width, width + before), *range(width), *range(width + before, rank)]
    return tf.transpose(result, order)


def _picks(k: Any) -> bool:
    """Returns whether a key is an advanced index: a tensor, or an integer next to one."""
    return is_tensor(k) or isinstance(k, (int, np.integer))


def _without_booleans(keys: list[Any]) -> list[Any]:
    """Replaces a boolean tensor by the indices of its True elements, one tensor for each axis."""
    expanded: list[Any] = []
    for k in keys:
        if is_tensor(k) and k.dtype is tf.bool:
            expanded += tf.unstack(tf.where(k), k.shape.rank, axis=1)
        else:
            expanded.append(k)
    return expanded


def _without_ellipsis(x: Any, keys: list[Any]) -> list[Any]:
    """Expands `...` to slices, up to the full rank."""
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), len(keys))
    after = keys[at + 1 :]
    used = sum(k is not None for k in keys[:at] + after)
    return keys[:at] + [slice(None)] * (x.shape.rank - used) + after
