"""Dot-product attention by two products of matrices."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.errors import UnsupportedError
from keras_fn_tensorflow.dtype_fallback import product_in_float32
from keras_fn_tensorflow.tensors import shape

_MASKED = -1e30  # finite, so that a query without any key is not NaN
_HEADS_FIRST = (0, 2, 1, 3)


@product_in_float32
def fused_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any,
    mask: Any,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
) -> tf.Tensor:
    """Scaled dot-product attention; the softmax of half precision is computed in float32."""
    if flash_attention:
        raise UnsupportedError(
            "TensorFlow has no flash attention.",
            fix="leave flash_attention out: it is used where it can be",
        )
    grouped = query.shape[2] is None or query.shape[2] != key.shape[2]
    # The scale of the query, as there are more logits; heads first, as products are quicker so.
    rows, columns, values = (
        raw.Transpose(x=x, perm=_HEADS_FIRST) for x in (raw.Mul(x=query, y=scale), key, value)
    )
    (batch, heads, targets, _), groups = shape(rows), shape(columns)[1]
    if grouped:
        rows = _merge_heads(rows, groups)
    logits = raw.BatchMatMulV2(x=rows, y=columns, adj_y=True)
    if grouped:
        logits = tf.reshape(logits, [batch, heads, targets, shape(columns)[2]])
    if query.dtype.size == 2:
        logits = tf.cast(logits, tf.float32)
    if bias is not None:
        logits += tf.cast(bias, logits.dtype)
    if is_causal:
        sources = tf.range(shape(key)[1])
        earlier = tf.range(shape(query)[1])[:, None] >= sources
        mask = earlier if mask is None else mask & earlier
    if mask is not None:
        logits = tf.where(mask, logits, tf.constant(_MASKED, logits.dtype))
    weights = raw.Softmax(logits=logits)
    if query.dtype.size == 2:
        weights = tf.cast(weights, query.dtype)
    if grouped:
        weights = _merge_heads(weights, groups)
    sums = raw.BatchMatMulV2(x=weights, y=values)
    if grouped:
        sums = tf.reshape(sums, [batch, heads, targets, shape(values)[3]])
    return raw.Transpose(x=sums, perm=_HEADS_FIRST)


def _merge_heads(x: Any, groups: Any) -> tf.Tensor:
    """Makes adjacent heads, which share a key head, rows of one matrix."""
    batch, heads, targets, size = shape(x)
    return tf.reshape(x, [batch, groups, heads // groups * targets, size])
