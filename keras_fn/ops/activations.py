"""Less common activations, all composites."""

from __future__ import annotations

from keras_fn.ops._op import op
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import (
    add,
    clip,
    divide,
    greater,
    greater_equal,
    less,
    maximum,
    minimum,
    multiply,
    square,
    subtract,
    where,
)
from keras_fn.ops.creation import ones_like
from keras_fn.ops.indexing import sort
from keras_fn.ops.nn import hard_silu, silu
from keras_fn.ops.reductions import cumsum, sum
from keras_fn.ops.shapes import flip
from keras_fn.ops.unary import absolute, expm1, sqrt, tanh

swish = silu
hard_swish = hard_silu


@op
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)`.

    Example:
        >>> print(convert_to_numpy(celu([-1.0, 2.0])).round(3))
        [-0.632  2.   ]

    References:
        Barron, "Continuously Differentiable Exponential Linear Units", 2017.
    """
    # exp of the negative part alone: a large x would overflow, and make the gradient NaN.
    return add(maximum(x, 0.0), multiply(expm1(divide(minimum(x, 0.0), alpha)), alpha))


@op
def hard_tanh(x: Tensor) -> Tensor:
    """`x`, but at least -1 and at most 1.

    Example:
        >>> convert_to_numpy(hard_tanh([-2.0, 0.5])).tolist()
        [-1.0, 0.5]
    """
    return clip(x, -1, 1)


@op
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """`x` where `|x| > threshold`, else 0.

    Example:
        >>> convert_to_numpy(hard_shrink([-0.2, 1.0])).tolist()
        [0.0, 1.0]
    """
    return where(greater(absolute(x), threshold), x, 0.0)


@op
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`, but not beyond it.

    Example:
        >>> convert_to_numpy(soft_shrink([-0.2, 1.0])).tolist()
        [0.0, 0.5]
    """
    smaller = where(less(x, -threshold), add(x, threshold), 0.0)
    return where(greater(x, threshold), subtract(x, threshold), smaller)


@op
def tanh_shrink(x: Tensor) -> Tensor:
    """`x - tanh(x)`.

    Example:
        >>> print(convert_to_numpy(tanh_shrink([1.0])).round(3))
        [0.238]
    """
    return subtract(x, tanh(x))


@op
def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """`x` where `x > threshold`, else `default_value`.

    Example:
        >>> convert_to_numpy(threshold([0.5, 2.0], 1.0, -1.0)).tolist()
        [-1.0, 2.0]
    """
    return where(greater(x, threshold), x, default_value)


@op
def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """`(x + sqrt(x**2 + b)) / 2`.

    Example:
        >>> convert_to_numpy(squareplus([0.0])).tolist()
        [1.0]

    References:
        Barron, "Squareplus: A Softplus-Like Algebraic Rectifier", 2021.
    """
    return multiply(add(x, sqrt(add(square(x), b))), 0.5)


@op
def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, `x` from 1 on, and `(x + 1)**2 / 4` between them.

    Example:
        >>> convert_to_numpy(sparse_plus([-1.0, 0.0, 2.0])).tolist()
        [0.0, 0.25, 2.0]
    """
    between = multiply(square(maximum(add(x, 1.0), 0.0)), 0.25)
    return where(greater_equal(x, 1.0), x, between)


@op
def sparse_sigmoid(x: Tensor) -> Tensor:
    """`(x + 1) / 2`, but at least 0 and at most 1: the slope of `sparse_plus`.

    Example:
        >>> convert_to_numpy(sparse_sigmoid([-2.0, 0.0])).tolist()
        [0.0, 0.5]
    """
    return clip(multiply(add(x, 1.0), 0.5), 0.0, 1.0)


@op
def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """The point of the probability simplex that is nearest to `x`, along `axis`.

    Example:
        >>> convert_to_numpy(sparsemax([2.0, 1.5, 0.0])).tolist()
        [0.75, 0.25, 0.0]

    References:
        Martins and Astudillo, "From Softmax to Sparsemax", 2016.

    Note:
        Keras 3.15 gives values that do not sum to 1 where several classes share the mass; this
        is the function of the paper.
    """
    falling = flip(sort(x, axis=axis), axis=axis)
    totals = cumsum(falling, axis=axis)
    counts = cumsum(ones_like(x), axis=axis)
    kept = greater(add(multiply(falling, counts), 1.0), totals)
    number = sum(where(kept, ones_like(x), 0.0), axis=axis, keepdims=True)
    total = sum(where(kept, falling, 0.0), axis=axis, keepdims=True)
    return maximum(subtract(x, divide(subtract(total, 1.0), number)), 0.0)
