"""Dot-product attention by two einsums: fewer ops than matmul with transposes."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.errors import UnsupportedError
from keras_fn_tensorflow.dtype_fallback import product_in_float32
from keras_fn_tensorflow.tensors import shape

_MASKED = -1e30  # finite, so that a query without any key is not NaN


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
    if query.shape[2] is None or query.shape[2] != key.shape[2]:
        logits = _grouped_logits(query, key)
    else:
        logits = raw.Einsum(inputs=[query, key], equation="btnh,bsnh->bnts")
    if query.dtype.size == 2:
        logits = tf.cast(logits, tf.float32)
    logits = raw.Mul(x=logits, y=scale)
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
    if query.shape[2] is None or query.shape[2] != key.shape[2]:
        return _grouped_weighted_sum(weights, value)
    return raw.Einsum(inputs=[weights, value], equation="bnts,bsnh->btnh")


def _grouped_logits(query: Any, key: Any) -> tf.Tensor:
    """Returns the logits of grouped-query attention: adjacent heads share a key head."""
    batch, targets, heads, size = shape(query)
    _, sources, groups, _ = shape(key)
    query = tf.reshape(query, [batch, targets, groups, heads // groups, size])
    logits = raw.Einsum(inputs=[query, key], equation="btgrh,bsgh->bgrts")
    return tf.reshape(logits, [batch, heads, targets, sources])


def _grouped_weighted_sum(weights: Any, value: Any) -> tf.Tensor:
    batch, heads, targets, _ = shape(weights)
    _, sources, groups, size = shape(value)
    weights = tf.reshape(weights, [batch, groups, heads // groups, targets, sources])
    sums = raw.Einsum(inputs=[weights, value], equation="bgrts,bsgh->btgrh")
    return tf.reshape(sums, [batch, targets, heads, size])
