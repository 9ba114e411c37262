"""Cases of attention."""

import numpy as np

from keras_fn.testing.conformance.case import (
    FLOATS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)


def attention(
    query,
    key,
    value,
    bias=None,
    mask=None,
    scale=None,
    is_causal=False,
    flash_attention=None,
    attn_logits_soft_cap=None,
):
    """Head by head, target by target."""
    del flash_attention
    batch, targets, heads, size = query.shape
    sources, shared = key.shape[1], heads // key.shape[2]
    scale = 1 / np.sqrt(size) if scale is None else scale
    bias = np.broadcast_to(0.0 if bias is None else bias, (batch, heads, targets, sources))
    mask = np.broadcast_to(True if mask is None else mask, (batch, heads, targets, sources))
    if is_causal:
        mask = mask & (np.arange(targets)[:, None] >= np.arange(sources))
    out = np.zeros(query.shape)
    for b, t, h in np.ndindex(batch, targets, heads):
        logits = key[b, :, h // shared] @ query[b, t, h] * scale
        if attn_logits_soft_cap is not None:
            logits = attn_logits_soft_cap * np.tanh(logits / attn_logits_soft_cap)
        logits = logits + bias[b, h, t]
        seen = mask[b, h, t]
        logits = np.where(seen, logits, -np.inf) if seen.any() else np.zeros(sources)
        weights = np.exp(logits - logits.max())
        out[b, t, h] = weights / weights.sum() @ value[b, :, h // shared]
    return out


QUERY, KEY = tensor("b t 4 3"), tensor("b s 4 3")

GROUPED = tensor("b s 2 3")

MASK = tensor("b 1 t s", dtype="bool")

HIDDEN = array([[[[True, False, True], [False, False, False]]]], "bool")

EXACT = {"ref": attention, "min_size": 1}

F32 = {"dtypes": ("float32",), **EXACT}


def ones(*shape):
    return array(np.ones(shape))


X = ones(1, 2, 4, 3)

WHO = "dot_product_attention"

CASES: list[Case] = [
    case("dot_product_attention", QUERY, KEY, KEY, dtypes=FLOATS, **EXACT),
    case("dot_product_attention", QUERY, GROUPED, GROUPED, dtypes=FLOATS, **EXACT),
    case(
        "dot_product_attention", QUERY, tensor("b s 1 3"), tensor("b s 1 3"), is_causal=True, **F32
    ),
    case(
        "dot_product_attention",
        QUERY,
        KEY,
        KEY,
        scale=OneOf([0.3, 2.0]),
        is_causal=True,
        dtypes=FLOATS,
        **EXACT,
    ),
    case("dot_product_attention", QUERY, KEY, KEY, tensor("1 4 t s"), dtypes=FLOATS, **EXACT),
    case("dot_product_attention", QUERY, KEY, KEY, tensor("t s"), MASK, **F32),
    case("dot_product_attention", QUERY, KEY, KEY, None, MASK, dtypes=FLOATS, **EXACT),
    case(
        "dot_product_attention",
        QUERY,
        GROUPED,
        GROUPED,
        tensor("b 4 1 s"),
        MASK,
        is_causal=True,
        **F32,
    ),
    case(
        "dot_product_attention",
        tensor("1 2 2 3"),
        tensor("1 3 2 3"),
        tensor("1 3 2 3"),
        None,
        HIDDEN,
        **F32,
    ),
    case(
        "dot_product_attention",
        QUERY,
        GROUPED,
        GROUPED,
        tensor("t s"),
        MASK,
        is_causal=True,
        attn_logits_soft_cap=OneOf([0.5, 5.0]),
        **F32,
    ),
    case("dot_product_attention", QUERY, KEY, KEY, None, MASK, flash_attention=False, **F32),
    case(
        "dot_product_attention",
        QUERY,
        KEY,
        KEY,
        flash_attention=True,
        is_causal=True,
        **F32,
        unsupported={"jax": "flash attention is cuDNN's", "tensorflow": "no flash attention"},
    ),
    case(
        "dot_product_attention",
        tensor("b t 2 3"),
        tensor("b s 2 3", dtype="float32"),
        tensor("b s 2 3", dtype="int32"),
        dtypes=("float32", "int32"),
        result_dtype="float32",
        **EXACT,
    ),
]

REFUSALS: list[Refusal] = [
    refusal(WHO, ones(2, 4, 3), X, X, match="query, key and value of rank 4"),
    refusal(WHO, X, X, ones(1, 5, 4, 3), match="key and value of one shape"),
    refusal(WHO, ones(1, 2, 4, 5), X, X, match="key and value of one shape"),
    refusal(
        WHO, X, ones(1, 2, 3, 3), ones(1, 2, 3, 3), match="multiple of the number of key heads"
    ),
    refusal(WHO, X, X, X, ones(3, 2), match="a bias that broadcasts"),
    refusal(WHO, X, X, X, None, ones(2, 4, 2, 2), match="a mask that broadcasts"),
    refusal(
        WHO,
        X,
        X,
        X,
        match="flash_attention=None or False",
        flash_attention=True,
        attn_logits_soft_cap=1.0,
    ),
]
