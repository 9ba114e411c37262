"""Sparse tensors: `tf.SparseTensor` with sorted and unique indices, and `tf.IndexedSlices`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def make_sparse(
    indices: Any, values: Any, shape: tuple[Any, ...], is_unique: bool = False
) -> tf.SparseTensor:
    """Returns a sparse tensor; the values of duplicates are added."""
    sizes = [size if isinstance(size, int) else tf.cast(size, "int64") for size in shape]
    dense_shape = tf.stack(sizes) if any(map(tf.is_tensor, sizes)) else sizes
    dense_shape = tf.cast(dense_shape, "int64") if sizes else tf.zeros([0], "int64")
    indices = tf.cast(indices, "int64")
    if not is_unique:
        indices, values = _sum_duplicates(indices, values, dense_shape)
    x = tf.SparseTensor(indices, values, dense_shape)
    return x if len(sizes) == 0 else tf.sparse.reorder(x)


def _sum_duplicates(indices: Any, values: Any, shape: Any) -> tuple[Any, Any]:
    strides = tf.math.cumprod(shape, exclusive=True, reverse=True)
    positions, entry = tf.unique(tf.reduce_sum(indices * strides, axis=1), tf.int64)
    is_bool = values.dtype == tf.bool
    values = tf.cast(values, "int32") if is_bool else values
    values = tf.math.unsorted_segment_sum(values, entry, tf.size(positions, tf.int64))
    # A stride is 0 where an axis after it is empty: then there are no entries.
    digits = (positions[:, None] // tf.maximum(strides, 1)) % tf.maximum(shape, 1)
    return digits, values > 0 if is_bool else values


def sparse_from_numpy(
    indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]
) -> tf.SparseTensor:
    """Copies unique entries to the device."""
    return make_sparse(indices, tf.convert_to_tensor(values), shape, is_unique=True)


def sparse_parts(x: Any) -> tuple[Any, Any]:
    """Returns the indices, of shape (entries, axes), and the values; each index occurs once."""
    if isinstance(x, tf.IndexedSlices):
        x = _from_slices(x)
    return x.indices, x.values


def _from_slices(x: tf.IndexedSlices) -> tf.SparseTensor:
    """Returns the slices of a sparse gradient as a sparse tensor of their elements."""
    sizes = tf.unstack(tf.shape(x.values, tf.int64))
    grid = tf.stack(tf.meshgrid(*map(tf.range, sizes), indexing="ij"), axis=-1)
    within = tf.reshape(grid, [-1, len(sizes)])
    rows = tf.gather(tf.cast(x.indices, "int64"), within[:, 0])[:, None]
    indices = tf.concat([rows, within[:, 1:]], axis=1)
    if x.dense_shape is None:
        raise ValueError("tf.IndexedSlices without a dense_shape")
    shape = tf.unstack(tf.cast(x.dense_shape, "int64"), num=len(sizes))
    return make_sparse(indices, tf.reshape(x.values, [-1]), tuple(shape))


def map_values(function: Callable[[Any], Any], x: Any) -> tf.SparseTensor:
    """Applies an elementwise function that is 0 at 0 to the values."""
    if isinstance(x, tf.IndexedSlices):
        x = _from_slices(x)
    # A constant, so that compiled functions know it: an argument's shape is in its spec alone.
    shape = x.shape.as_list() if x.shape.is_fully_defined() else x.dense_shape
    return tf.SparseTensor(x.indices, function(x.values), shape)


def to_dense(x: Any) -> tf.Tensor:
    """`tf.sparse.to_dense`."""
    if isinstance(x, tf.IndexedSlices):
        return tf.convert_to_tensor(x)
    return tf.sparse.to_dense(x, validate_indices=False)


def sparse_matmul(x: tf.SparseTensor, y: tf.Tensor) -> tf.Tensor:
    """`tf.sparse.sparse_dense_matmul`, in a dtype that it supports."""
    dtype = y.dtype
    sizes = [x.shape[0], y.shape[1]]
    if dtype in _WITH_PRODUCT:
        return tf.ensure_shape(tf.sparse.sparse_dense_matmul(x, y), sizes)
    wide = tf.float32 if dtype.is_floating else tf.float64
    product = tf.sparse.sparse_dense_matmul(tf.cast(x, wide), tf.cast(y, wide))
    return tf.ensure_shape(tf.cast(product, dtype), sizes)


_WITH_PRODUCT = frozenset(
    (tf.float32, tf.float64, tf.bfloat16, tf.int32, tf.complex64, tf.complex128)
)


def sparse_sparse_matmul(x: tf.SparseTensor, y: tf.SparseTensor) -> tf.SparseTensor:
    """Product of two sparse matrices, in compressed row form."""
    from tensorflow.python.ops.linalg.sparse import sparse_csr_matrix_ops as csr

    dtype = x.dtype
    wide = dtype if dtype in _WITH_SPARSE_PRODUCT else tf.float64
    pair = [tf.cast(t, wide) for t in (x, y)]
    matrices = [csr.sparse_tensor_to_csr_sparse_matrix(*_parts(t)) for t in pair]
    product = csr.sparse_matrix_sparse_mat_mul(*matrices, type=wide)
    parts = csr.csr_sparse_matrix_to_sparse_tensor(product, type=wide)
    return tf.cast(tf.SparseTensor(*parts), dtype)


def _parts(x: tf.SparseTensor) -> tuple[Any, Any, Any]:
    return x.indices, x.values, x.dense_shape


_WITH_SPARSE_PRODUCT = frozenset((tf.float32, tf.float64, tf.complex64, tf.complex128))


def cast_sparse(x: Any, dtype: tf.DType) -> tf.SparseTensor:
    """Casts the values."""
    return map_values(lambda v: tf.cast(v, dtype), x)
