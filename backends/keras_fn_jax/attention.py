"""Attention by JAX's own function."""

from typing import Any

import jax

from keras_fn.errors import SpecError

Array = Any


def fused_attention(
    query: Array,
    key: Array,
    value: Array,
    bias: Array | None,
    mask: Array | None,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
) -> Array:
    """`jax.nn.dot_product_attention`; in blocks by cuDNN where that is asked for and there is."""
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
