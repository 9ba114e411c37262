"""Activation functions: ReLU and its variants, softmax, gated and sparse activations."""

from __future__ import annotations

from keras_fn.core import dtypes
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import elementwise_number, normalize_axes, normalize_axis
from keras_fn.ops.arithmetic import (
    absolute,
    add,
    clip,
    divide,
    maximum,
    minimum,
    multiply,
    negative,
    square,
    subtract,
)
from keras_fn.ops.creation import ones_like
from keras_fn.ops.joining_splitting import split
from keras_fn.ops.logic import greater, greater_equal, less, where
from keras_fn.ops.math import erf, exp, expm1, log1p, sigmoid, sqrt
from keras_fn.ops.rearranging import flip
from keras_fn.ops.reductions import cumsum, logsumexp, sum
from keras_fn.ops.sorting_searching import sort
from keras_fn.ops.trigonometric import tanh
from keras_fn.types import Axis, Tensor, TensorLike


@op
def silu(x: TensorLike) -> Tensor:
    """SiLU (swish) activation: `x * sigmoid(x)`.

    Example:
        >>> print(convert_to_numpy(silu([0.0, 1.0])).round(3))
        [0.    0.731]

    References:
        Ramachandran et al., "Searching for Activation Functions", 2017.
        https://arxiv.org/abs/1710.05941
    """
    return multiply(x, sigmoid(x))


swish = silu


@op
def hard_silu(x: TensorLike) -> Tensor:
    """Hard SiLU (hard swish) activation: `x * hard_sigmoid(x)`.

    Example:
        >>> convert_to_numpy(hard_silu([1.5, 3.0])).tolist()
        [1.125, 3.0]

    References:
        Howard et al., "Searching for MobileNetV3", 2019. https://arxiv.org/abs/1905.02244
    """
    return multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


@op
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable exponential linear unit (CELU).

    `max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)`.

    Args:
        x: Tensor of any shape; integers are cast to the default float dtype.
        alpha: Scale of the negative part, not 0.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> print(convert_to_numpy(celu([-1.0, 2.0])).round(3))
        [-0.632  2.   ]

    References:
        Barron, "Continuously Differentiable Exponential Linear Units", 2017.
        https://arxiv.org/abs/1704.07483
    """
    # exp of the negative part alone: a large x would overflow, and make the gradient NaN.
    is_positive = greater(x, 0)
    below = where(is_positive, 0.0, x)
    return where(is_positive, x, multiply(expm1(divide(below, alpha)), alpha))


@op
def hard_tanh(x: TensorLike) -> Tensor:
    """Hard tanh activation: `x` clipped to the range from -1 to 1.

    Example:
        >>> convert_to_numpy(hard_tanh([-2.0, 0.5])).tolist()
        [-1.0, 0.5]
    """
    return clip(x, -1, 1)


@op
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """Hard shrinkage activation: `x` where `|x| > threshold`, else 0.

    Args:
        x: Tensor of any shape.
        threshold: Bound of the range that is set to 0.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(hard_shrink([-0.2, 1.0])).tolist()
        [0.0, 1.0]
    """
    return where(greater(absolute(x), threshold), x, 0.0)


@op
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """Soft shrinkage (soft thresholding) activation: `sign(x) * max(|x| - threshold, 0)`.

    Args:
        x: Tensor of any shape.
        threshold: Amount by which elements move toward 0.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(soft_shrink([-0.2, 1.0])).tolist()
        [0.0, 0.5]
    """
    smaller = where(less(x, -threshold), add(x, threshold), 0.0)
    return where(greater(x, threshold), subtract(x, threshold), smaller)


@op
def tanh_shrink(x: TensorLike) -> Tensor:
    """Tanh shrinkage activation: `x - tanh(x)`.

    Example:
        >>> print(convert_to_numpy(tanh_shrink([1.0])).round(3))
        [0.238]
    """
    return subtract(x, tanh(x))


@op
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """Threshold activation: `x` where `x > threshold`, else `default_value`.

    Args:
        x: Tensor of any shape.
        threshold: Elements up to this value, inclusive, are replaced.
        default_value: The replacement.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(threshold([0.5, 2.0], 1.0, -1.0)).tolist()
        [-1.0, 2.0]
    """
    return where(greater(x, threshold), x, default_value)


@op
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """Squareplus activation: `(x + sqrt(x**2 + b)) / 2`.

    Args:
        x: Tensor of any shape.
        b: Smoothness: the larger, the wider the curved part around 0.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(squareplus([0.0])).tolist()
        [1.0]

    References:
        Barron, "Squareplus: A Softplus-Like Algebraic Rectifier", 2021.
        https://arxiv.org/abs/2112.11687
    """
    return multiply(add(x, sqrt(add(square(x), b))), 0.5)


@op
def sparse_plus(x: TensorLike) -> Tensor:
    """SparsePlus activation: 0 up to -1, `x` from 1 on, `(x + 1)**2 / 4` in between.

    Example:
        >>> convert_to_numpy(sparse_plus([-1.0, 0.0, 2.0])).tolist()
        [0.0, 0.25, 2.0]
    """
    between = multiply(square(maximum(add(x, 1.0), 0.0)), 0.25)
    return where(greater_equal(x, 1.0), x, between)


@op
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """Sparse sigmoid activation: `(x + 1) / 2`, clipped to the range from 0 to 1.

    It is the derivative of `sparse_plus`.

    Example:
        >>> convert_to_numpy(sparse_sigmoid([-2.0, 0.0])).tolist()
        [0.0, 0.5]
    """
    return clip(multiply(add(x, 1.0), 0.5), 0.0, 1.0)


@op(upcast_half=True)
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """Sparsemax activation: the Euclidean projection of `x` onto the probability simplex.

    Args:
        x: Tensor of any shape.
        axis: Axis along which the results sum to 1.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> convert_to_numpy(sparsemax([2.0, 1.5, 0.0])).tolist()
        [0.75, 0.25, 0.0]

    References:
        Martins and Astudillo, "From Softmax to Sparsemax", 2016. https://arxiv.org/abs/1602.02068

    Note:
        Keras 3.15 returns values that do not sum to 1 where several classes share the mass; this
        is the function of the paper.
    """
    normalize_axis(axis, len(spec_of(x).shape), "ops.sparsemax")
    falling = flip(sort(x, axis=axis), axis=axis)
    totals = cumsum(falling, axis=axis)
    counts = cumsum(ones_like(x), axis=axis)
    kept = greater(add(multiply(falling, counts), 1.0), totals)
    number = sum(where(kept, ones_like(x), 0.0), axis=axis, keepdims=True)
    total = sum(where(kept, falling, 0.0), axis=axis, keepdims=True)
    threshold = divide(subtract(total, 1.0), number)
    return where(greater(x, threshold), subtract(x, threshold), 0.0)


@op(rule=elementwise_number)
def relu(x: TensorLike) -> Tensor:
    """Rectified linear unit (ReLU): `max(x, 0)`. The gradient at 0 is 0.

    Example:
        >>> convert_to_numpy(relu([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return where(greater(x, 0), x, 0)


@op(rule=elementwise_number)
def relu6(x: TensorLike) -> Tensor:
    """ReLU with an upper bound of 6: `min(max(x, 0), 6)`.

    Example:
        >>> convert_to_numpy(relu6([-1.0, 9.0])).tolist()
        [0.0, 6.0]
    """
    return minimum(relu(x), 6)


@op
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """Leaky ReLU: `x` where positive, else `negative_slope * x`.

    Args:
        x: Tensor of any shape.
        negative_slope: Slope of the negative part.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> print(convert_to_numpy(leaky_relu([-1.0, 2.0])).round(3))
        [-0.2  2. ]
    """
    return where(greater(x, 0), x, multiply(x, negative_slope))


@op
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit (ELU): `x` where positive, else `alpha * (exp(x) - 1)`.

    Args:
        x: Tensor of any shape.
        alpha: Scale of the negative part.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> print(convert_to_numpy(elu([-1.0, 2.0])).round(3))
        [-0.632  2.   ]

    References:
        Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016.
        https://arxiv.org/abs/1511.07289
    """
    return where(greater(x, 0), x, multiply(expm1(minimum(x, 0.0)), alpha))


@op
def selu(x: TensorLike) -> Tensor:
    """Scaled exponential linear unit (SELU): `1.0507 * elu(x, 1.67326)`.

    Through a deep stack of layers it preserves mean 0 and variance 1.

    Example:
        >>> print(convert_to_numpy(selu([-1.0, 1.0])).round(3))
        [-1.111  1.051]

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", 2017. https://arxiv.org/abs/1706.02515
    """
    return multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@op
def softplus(x: TensorLike) -> Tensor:
    """Softplus activation: `log(1 + exp(x))`, computed without overflow.

    Example:
        >>> print(convert_to_numpy(softplus([0.0, 100.0])).round(3))
        [  0.693 100.   ]
    """
    return add(maximum(x, 0.0), log1p(exp(multiply(absolute(x), -1.0))))


@op
def softsign(x: TensorLike) -> Tensor:
    """Softsign activation: `x / (1 + |x|)`.

    Example:
        >>> convert_to_numpy(softsign([-1.0, 3.0])).tolist()
        [-0.5, 0.75]
    """
    return divide(x, add(absolute(x), 1.0))


@op
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """Gaussian error linear unit (GELU): `x * P(X <= x)` for a standard normal X.

    Args:
        x: Tensor of any shape.
        approximate: Whether to approximate P by
            `0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`.

    Returns:
        A float tensor of the shape of `x`.

    Example:
        >>> print(convert_to_numpy(gelu([-1.0, 0.0, 1.0])).round(2))
        [-0.16  0.    0.84]

    References:
        Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
        https://arxiv.org/abs/1606.08415
    """
    if approximate:
        cube = multiply(multiply(x, x), x)
        inner = multiply(add(x, multiply(cube, 0.044715)), 0.7978845608028654)
        return multiply(multiply(x, 0.5), add(tanh(inner), 1.0))
    return multiply(multiply(x, 0.5), add(erf(multiply(x, 0.7071067811865476)), 1.0))


@op
def hard_sigmoid(x: TensorLike) -> Tensor:
    """Hard sigmoid activation: `relu6(x + 3) / 6`.

    Example:
        >>> convert_to_numpy(hard_sigmoid([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return clip(add(divide(x, 6.0), 0.5), 0.0, 1.0)


@op
def log_sigmoid(x: TensorLike) -> Tensor:
    """Logarithm of the sigmoid, computed without overflow.

    Example:
        >>> print(convert_to_numpy(log_sigmoid([0.0])).round(3))
        [-0.693]
    """
    return negative(softplus(multiply(x, -1.0)))


def _along_axes(x: TensorSpec, axis: Axis = -1) -> TensorSpec:
    normalize_axes(axis, len(x.shape), "ops.softmax")
    return TensorSpec(x.shape, dtypes.float_type(x.dtype))


@op(rule=Rule(_along_axes, promote=dtypes.float_type))
def softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """Softmax: `exp(x) / sum(exp(x))` along `axis`, computed without overflow.

    Args:
        x: Tensor of any shape; integers are cast to the default float dtype.
        axis: Axis along which the results sum to 1; several, or None for all.

    Returns:
        A float tensor of the shape of `x`.

    Raises:
        ValueError: `axis` is out of range.

    Example:
        >>> convert_to_numpy(softmax([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    ...


@op(upcast_half=True)
def log_softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """Logarithm of the softmax along `axis`, computed without overflow.

    Args:
        x: Tensor of any shape; integers are cast to the default float dtype.
        axis: Axis along which the exponentials of the results sum to 1; several, or None for all.

    Returns:
        A float tensor of the shape of `x`.

    Raises:
        ValueError: `axis` is out of range.

    Example:
        >>> print(convert_to_numpy(log_softmax([0.0, 0.0])).round(3))
        [-0.693 -0.693]
    """
    return subtract(x, logsumexp(x, axis, keepdims=True))


@op
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """Gated linear unit (GLU): one half of `x` times the sigmoid of the other half.

    Args:
        x: Tensor whose size along `axis` is even.
        axis: Axis to split.

    Returns:
        A float tensor of the shape of `x`, with half the size along `axis`.

    Raises:
        ValueError: The size along `axis` is odd, or `axis` is out of range.

    Example:
        >>> convert_to_numpy(glu([2.0, 0.0])).tolist()
        [1.0]

    References:
        Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2016.
        https://arxiv.org/abs/1612.08083
    """
    value, gate = split(x, 2, axis)
    return multiply(value, sigmoid(gate))
