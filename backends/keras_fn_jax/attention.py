"""Dot-product attention: `jax.nn.dot_product_attention`."""

import jax
import jax.numpy as jnp

from keras_fn.errors import SpecError
from keras_fn_jax.op_jit import compile_op


@compile_op
def fused_attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    bias: jax.Array | None,
    mask: jax.Array | None,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
) -> jax.Array:
    """`jax.nn.dot_product_attention`; cuDNN's flash attention if requested and available."""
    if query.dtype == "float16" and jax.default_backend() == "cpu":
        query, key, value = (x.astype("float32") for x in (query, key, value))
        bias = None if bias is None else bias.astype("float32")
        result = fused_attention(query, key, value, bias, mask, scale, is_causal, flash_attention)
        return result.astype("float16")  # XLA has no product of float16 there
    if value.shape[-1] != key.shape[-1]:  # jax.nn has one size: zeros change no product
        size = value.shape[-1]
        query, key, value = _pad_to_one_size(query, key, value)
        result = fused_attention(query, key, value, bias, mask, scale, is_causal, flash_attention)
        return result[..., :size]
    implementation = {None: None, True: "cudnn", False: "xla"}[flash_attention]
    try:
        return jax.nn.dot_product_attention(
            query,
            key,
            value,
            bias,
            mask,
            scale=scale,
            is_causal=is_causal,
            implementation=implementation,
        )
    except (RuntimeError, NotImplementedError, ValueError) as error:
        if not flash_attention:
            raise
        raise SpecError(
            "ops.dot_product_attention",
            expected="flash_attention=None or False",
            received=f"flash_attention=True; JAX on {jax.default_backend()}: {error}",
            fix="leave flash_attention out: it is used where it can be",
        ) from error


def _pad_to_one_size(*tensors: jax.Array) -> list[jax.Array]:
    """Pads the last axis of each tensor with zeros, to the size of the largest."""
    size = max(x.shape[-1] for x in tensors)
    return [jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, size - x.shape[-1])]) for x in tensors]
