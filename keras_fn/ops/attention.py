"""Scaled dot-product attention."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_letters
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.memoize import memoize
from keras_fn.core.shapes import is_compatible, is_size_compatible
from keras_fn.errors import SpecError, UnsupportedError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast
from keras_fn.ops.activations import softmax
from keras_fn.ops.arithmetic import absolute, add, divide, multiply, subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.linalg.products import einsum, matmul
from keras_fn.ops.logic import any as any_true, greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import broadcast_to, expand_dims, reshape, transpose
from keras_fn.ops.trigonometric import tanh
from keras_fn.settings import settings
from keras_fn.types import Tensor, TensorLike

_SOURCE = "ops.dot_product_attention"
MASKED_LOGIT = -1e30
"""The logit of a masked source. It is finite, so that a row without any source is not NaN."""


def _infer(
    query: TensorSpec,
    key: TensorSpec,
    value: TensorSpec,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> TensorSpec:
    del scale, is_causal
    _check_shapes(query, key, value, bias, mask)
    if flash_attention and attn_logits_soft_cap is not None:
        raise no_flash_attention("attn_logits_soft_cap")
    return TensorSpec(query.shape, dtypes.float_type(query.dtype, key.dtype, value.dtype))


@memoize
def _check_dtypes(tensors: tuple[Any, ...], *options: Any) -> tuple[str, bool]:
    """Checks shapes and native dtypes.

    Returns:
        The dtype of the result, and whether query, key and value have it.
    """
    name = current().dtype_name
    specs = [None if x is None else TensorSpec(tuple(x[0]), name(x[1])) for x in tensors]
    dtype = _infer(*specs, *options).dtype  # type: ignore[arg-type]
    return dtype, all(x is not None and x.dtype == dtype for x in specs[:3])


@op(rule=Rule(_infer))
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """Scaled dot-product attention: `softmax(query @ key.T * scale + bias) @ value` for each head.

    Args:
        query: Tensor of shape `(batch, targets, heads, head_size)`.
        key: Tensor of shape `(batch, sources, key_heads, head_size)`. `key_heads` divides `heads`:
            each serves `heads // key_heads` adjacent heads (grouped-query attention).
        value: Tensor of the shape of `key`.
        bias: Added to the logits: a tensor that broadcasts to `(batch, heads, targets, sources)`.
        mask: Booleans that broadcast to the shape of the logits: where False, a source is not
            attended to. A target without any source receives the mean of all.
        scale: Factor of the logits; `1 / sqrt(head_size)` by default.
        is_causal: Whether a target attends only to the sources up to its own position.
        flash_attention: True requires flash attention, which computes in blocks, without the matrix
            of all logits; False disables it; None leaves the choice to the backend while
            `keras.config.is_flash_attention_enabled()`.
        attn_logits_soft_cap: Bounds the logits by `cap * tanh(logits / cap)`, before the bias.

    Returns:
        A tensor of the shape of `query`, in the dtype that the arguments promote to. The softmax of
        half precision is computed in float32.

    Raises:
        ValueError: The shapes do not match, or `flash_attention=True` is not available.

    Example:
        >>> query, key = zeros((1, 2, 4, 8)), zeros((1, 3, 2, 8))
        >>> y = dot_product_attention(query, key, ones((1, 3, 2, 8)))
        >>> y.shape == (1, 2, 4, 8), bool(ops.all(y == 1.0))
        (True, True)

    References:
        Vaswani et al., "Attention Is All You Need", 2017. https://arxiv.org/abs/1706.03762
        Ainslie et al., "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
        Checkpoints", 2023. https://arxiv.org/abs/2305.13245
        Dao et al., "FlashAttention", 2022. https://arxiv.org/abs/2205.14135
    """
    tensors = (
        (query.shape, query.dtype),  # type: ignore[union-attr]
        (key.shape, key.dtype),  # type: ignore[union-attr]
        (value.shape, value.dtype),  # type: ignore[union-attr]
        None if bias is None else (bias.shape, bias.dtype),  # type: ignore[union-attr]
        None if mask is None else (mask.shape, mask.dtype),  # type: ignore[union-attr]
    )
    options = (scale, is_causal, flash_attention, attn_logits_soft_cap)
    dtype, has_dtype = _check_dtypes(tensors, *options)
    if not has_dtype:
        query, key, value = (cast(x, dtype) for x in (query, key, value))
    if flash_attention is None and not settings.flash_attention:
        flash_attention = False
    bias = None if bias is None else _expand_to_rank_4(cast(bias, dtype))
    mask = None if mask is None else _expand_to_rank_4(cast(mask, "bool"))
    factor = float(query.shape[-1]) ** -0.5 if scale is None else scale  # type: ignore[union-attr]
    if attn_logits_soft_cap is None:
        return fused_attention(query, key, value, bias, mask, factor, is_causal, flash_attention)
    return _attention(query, key, value, bias, mask, factor, is_causal, attn_logits_soft_cap)


def _output_spec(query: TensorSpec, key: TensorSpec, value: TensorSpec, *_: Any) -> TensorSpec:
    del key
    return TensorSpec((*query.shape[:-1], value.shape[-1]), query.dtype)


@op(rule=Rule(_output_spec))
def fused_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None,
    mask: TensorLike | None,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
) -> Tensor:
    """Attention of tensors of one dtype, in one kernel where the backend has one.

    Args:
        query: Tensor of shape `(batch, targets, heads, head_size)`.
        key: Tensor of shape `(batch, sources, key_heads, head_size)`.
        value: Tensor of shape `(batch, sources, key_heads, value_size)`.
        bias: Float tensor of rank 4 that broadcasts to the logits, or None.
        mask: Boolean tensor of rank 4 that broadcasts to the logits, or None.
        scale: Factor of the logits.
        is_causal: Whether a target attends only to the sources up to its own position.
        flash_attention: As for `dot_product_attention`.

    Returns:
        A tensor of shape `(batch, targets, heads, value_size)`.
    """
    if flash_attention:
        raise UnsupportedError(
            f"The backend {current().name!r} has no flash attention.",
            fix="omit flash_attention: it is used where possible",
        )
    return _attention(query, key, value, bias, mask, scale, is_causal)


def no_flash_attention(reason: str) -> SpecError:
    """Returns the error of `flash_attention=True` where it is not available."""
    return SpecError(
        _SOURCE,
        expected="flash_attention=None or False",
        received=f"flash_attention=True, which does not support {reason}",
        fix="omit flash_attention: it is used where possible",
    )


def _attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any,
    mask: Any,
    scale: float,
    is_causal: bool,
    soft_cap: float | None = None,
) -> Tensor:
    """Attention as two matrix products: heads that share a key head are rows of one matrix."""
    batch, targets, heads, size = shape_of(query)
    _, sources, key_heads, _ = shape_of(key)
    dtype = spec_of(query).dtype
    rows = transpose(query, (0, 2, 1, 3))
    grouped = not (isinstance(heads, int) and heads == key_heads)
    if grouped:
        rows = reshape(rows, (batch, key_heads, -1, size))
    logits = cast(matmul(rows, transpose(key, (0, 2, 3, 1))), softmax_dtype(dtype))
    logits = multiply(logits, scale)
    if grouped:
        logits = reshape(logits, (batch, heads, targets, sources))
    if soft_cap is not None:
        logits = multiply(tanh(divide(logits, soft_cap)), soft_cap)
    if bias is not None:
        logits = add(logits, bias)
    if is_causal:
        earlier = greater_equal(expand_dims(arange(targets), 1), arange(sources))
        mask = earlier if mask is None else logical_and(mask, earlier)
    if mask is not None:
        logits = where(mask, logits, MASKED_LOGIT)
    weights = cast(softmax(logits), dtype)
    if grouped:
        weights = reshape(weights, (batch, key_heads, -1, sources))
    y = matmul(weights, transpose(value, (0, 2, 1, 3)))
    if grouped:
        y = reshape(y, (batch, heads, targets, shape_of(value)[-1]))
    return transpose(y, (0, 2, 1, 3))


def attention_equations(rank: int, axes: Sequence[int]) -> tuple[str, str]:
    """Returns the einsum equations of the logits and of the weighted sum of values.

    Args:
        rank: The rank of query, key and value, whose last axes are heads and their size.
        axes: The axes that attention is over. Logits have the other axes, the heads, the axes of
            targets and those of sources.
    """
    query = ascii_letters[:rank]
    sources = iter(ascii_letters[rank:])
    key = "".join(next(sources) if i in axes else letter for i, letter in enumerate(query))
    logits = [letter for i, letter in enumerate(query[:-1]) if i not in axes]
    logits += [query[i] for i in axes] + [key[i] for i in axes]
    joined = "".join(logits)
    return f"{query},{key}->{joined}", f"{joined},{key}->{query}"


@op
def attention_weights(
    query: TensorLike,
    key: TensorLike,
    mask: TensorLike | None,
    scale: float,
    axes: Sequence[int] = (1,),
) -> Tensor:
    """Attention weights: the softmax of the scaled products of query and key over the sources.

    Args:
        query: Tensor of shape `(batch, *targets, heads, head_size)`.
        key: Tensor of shape `(batch, *sources, heads, head_size)`.
        mask: Booleans that broadcast to the result: the weight is 0 where False.
        scale: Factor of the logits.
        axes: The axes of targets and of sources. Further axes are like that of the batch.

    Returns:
        A tensor of shape `(batch, heads, *targets, *sources)`, of the dtype of `query`. The softmax
        of half precision is computed in float32.
    """
    dtype, last = spec_of(query).dtype, tuple(range(-len(axes), 0))
    equation, _ = attention_equations(len(spec_of(query).shape), axes)
    logits = cast(einsum(equation, multiply(query, scale), key), softmax_dtype(dtype))
    if mask is None:
        return cast(softmax(logits, last), dtype)
    weights = softmax(where(mask, logits, MASKED_LOGIT), last)
    return cast(where(mask, weights, 0.0), dtype)


@op(rule=Rule(_output_spec))
def attention_over_axes(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    mask: TensorLike | None,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
    axes: Sequence[int],
) -> Tensor:
    """Fused attention over some axes of tensors of any rank; the others are like that of the batch.

    Args:
        query: Tensor of shape `(batch, *targets, heads, head_size)`.
        key: Tensor of shape `(batch, *sources, heads, head_size)`.
        value: Tensor of shape `(batch, *sources, heads, value_size)`.
        mask: Booleans that broadcast to the weights of `attention_weights`, or None. The result
            is 0 for a target without any source.
        scale: Factor of the logits.
        is_causal: Whether a target attends only to the sources up to its own position.
        flash_attention: As for `dot_product_attention`.
        axes: The axes of targets and of sources.

    Returns:
        A tensor of the shape of `query`, with heads of size `value_size`.
    """
    rank = len(query.shape)  # type: ignore[union-attr]
    free = [i for i in range(rank - 2) if i not in axes]
    order = (*free, *axes, rank - 2, rank - 1)
    sizes, sources = shape_of(query), shape_of(key)
    if mask is not None:
        batch, targets = [sizes[i] for i in free], [sizes[i] for i in axes]
        ends, heads = [sources[i] for i in axes], shape_of(mask)[len(free)]
        mask = broadcast_to(mask, [*batch, heads, *targets, *ends])
        mask = reshape(mask, (prod(batch), heads, prod(targets), prod(ends)))

    def fold(x: Any) -> Tensor:
        n = shape_of(x)
        merged = (prod([n[i] for i in free]), prod([n[i] for i in axes]), *n[-2:])
        return reshape(transpose(x, order), merged)

    y = fused_attention(
        fold(query), fold(key), fold(value), None, mask, scale, is_causal, flash_attention
    )
    if mask is not None:
        y = drop_unattended(y, mask)
    y = reshape(y, [*[sizes[i] for i in order[:-1]], shape_of(value)[-1]])
    return transpose(y, sorted(range(rank), key=order.__getitem__))


@op
def drop_unattended(outputs: TensorLike, mask: TensorLike) -> Tensor:
    """Sets the outputs of targets without any source to 0.

    Args:
        outputs: Tensor of shape `(batch, targets, heads, head_size)`.
        mask: Booleans of rank 4 that broadcast to `(batch, heads, targets, sources)`.
    """
    sees = transpose(any_true(mask, -1, keepdims=True), (0, 2, 1, 3))
    return where(sees, outputs, 0.0)


@op(rule=Rule(lambda query, key, axis, *_: TensorSpec(
    (query.shape[axis], key.shape[axis]), "bool")))  # fmt: skip
def band_mask(
    query: TensorLike, key: TensorLike, axis: int, is_causal: bool, window: int | None
) -> Tensor:
    """Mask by position: sources up to the target's position, or in a window around it.

    Args:
        query: Tensor with the targets along `axis`.
        key: Tensor with the sources along `axis`.
        axis: The axis of positions.
        is_causal: Whether later sources are masked.
        window: Sources that are so many positions away, or more, are masked. None, with
            `is_causal`, for no window.

    Returns:
        Booleans of shape `(targets, sources)`.
    """
    targets, sources = shape_of(query)[axis], shape_of(key)[axis]
    distance = subtract(expand_dims(arange(targets), 1), arange(sources))
    is_near = None if window is None else less(absolute(distance), window)
    if not is_causal:
        return is_near  # type: ignore[return-value]
    earlier = greater_equal(distance, 0)
    return earlier if is_near is None else logical_and(earlier, is_near)


def softmax_dtype(dtype: str) -> str:
    """Returns the dtype in which the softmax of logits of `dtype` is computed."""
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def _expand_to_rank_4(x: Tensor) -> Tensor:
    missing = 4 - len(x.shape)
    return expand_dims(x, tuple(range(missing))) if missing else x


def _check_shapes(
    query: TensorSpec, key: TensorSpec, value: TensorSpec, bias: Any, mask: Any
) -> None:
    shapes = [query.shape, key.shape, value.shape]
    if any(len(shape) != 4 for shape in shapes):
        raise _shape_error(
            "query, key and value of rank 4: batch, positions, heads, head size",
            shapes,
            "split the last axis into heads and their size",
        )
    if not (_have_same_sizes(query, key, 0, 3) and _have_same_sizes(key, value, 0, 1, 2, 3)):
        raise _shape_error(
            "key and value of one shape, of the batch and head size of query",
            shapes,
            "project them to the same sizes",
        )
    heads, key_heads = query.shape[2], key.shape[2]
    if key_heads == 0 or (heads is not None and key_heads is not None and heads % key_heads):
        raise _shape_error(
            "a number of heads that is a multiple of the number of key heads",
            shapes,
            "choose other numbers of heads",
        )
    logits = (query.shape[0], heads, query.shape[1], key.shape[1])
    for name, x in (("bias", bias), ("mask", mask)):
        if x is not None and not _broadcasts_to(x.shape, logits):
            raise _shape_error(
                f"a {name} that broadcasts to (batch, heads, targets, sources) {logits}",
                [x.shape],
                "add axes of size 1",
            )


def _have_same_sizes(a: TensorSpec, b: TensorSpec, *axes: int) -> bool:
    return all(is_size_compatible(a.shape[i], b.shape[i]) for i in axes)


def _broadcasts_to(shape: Shape, target: Shape) -> bool:
    try:
        result = broadcast(shape, target)
    except SpecError:
        return False
    return is_compatible(result, target)


def _shape_error(expected: str, shapes: list[Any], fix: str) -> SpecError:
    received = ", ".join(f"shape {tuple(shape)}" for shape in shapes)
    return SpecError(_SOURCE, expected=expected, received=received, fix=fix)
