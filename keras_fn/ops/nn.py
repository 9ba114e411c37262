"""Neural-network ops: activations, convolution, pooling, normalisation, recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops import _windows
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import elementwise, elementwise_number, normalize_axes, normalize_axis
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import (
    add,
    clip,
    divide,
    greater,
    maximum,
    minimum,
    multiply,
    subtract,
    where,
)
from keras_fn.ops.core import cast
from keras_fn.ops.products import matmul, product_of
from keras_fn.ops.reductions import logsumexp, sum
from keras_fn.ops.shapes import reshape, split
from keras_fn.ops.unary import absolute, erf, exp, expm1, log1p, negative, rsqrt, sigmoid, tanh

Sizes = int | Sequence[int]


@op(rule=elementwise_number)
def relu(x: Tensor) -> Tensor:
    """`max(x, 0)`; the gradient at 0 is 0.

    Example:
        >>> convert_to_numpy(relu([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return where(greater(x, 0), x, 0)


@op(rule=elementwise_number)
def relu6(x: Tensor) -> Tensor:
    """`min(max(x, 0), 6)`.

    Example:
        >>> convert_to_numpy(relu6([-1.0, 9.0])).tolist()
        [0.0, 6.0]
    """
    return minimum(relu(x), 6)


@op
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """`x` where positive, else `negative_slope * x`.

    Example:
        >>> print(convert_to_numpy(leaky_relu([-1.0, 2.0])).round(3))
        [-0.2  2. ]
    """
    return where(greater(x, 0), x, multiply(x, negative_slope))


@op
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` where positive, else `alpha * (exp(x) - 1)`.

    Example:
        >>> print(convert_to_numpy(elu([-1.0, 2.0])).round(3))
        [-0.632  2.   ]

    References:
        Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016.
    """
    return where(greater(x, 0), x, multiply(expm1(minimum(x, 0.0)), alpha))


@op
def selu(x: Tensor) -> Tensor:
    """Scaled ELU, whose outputs keep mean 0 and variance 1 in deep stacks.

    Example:
        >>> print(convert_to_numpy(selu([-1.0, 1.0])).round(3))
        [-1.111  1.051]

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    """
    return multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@op
def softplus(x: Tensor) -> Tensor:
    """`log(1 + exp(x))`, without overflow.

    Example:
        >>> print(convert_to_numpy(softplus([0.0, 100.0])).round(3))
        [  0.693 100.   ]
    """
    return add(maximum(x, 0.0), log1p(exp(multiply(absolute(x), -1.0))))


@op
def softsign(x: Tensor) -> Tensor:
    """`x / (1 + |x|)`.

    Example:
        >>> convert_to_numpy(softsign([-1.0, 3.0])).tolist()
        [-0.5, 0.75]
    """
    return divide(x, add(absolute(x), 1.0))


@op
def silu(x: Tensor) -> Tensor:
    """`x * sigmoid(x)`, also called swish.

    Example:
        >>> print(convert_to_numpy(silu([0.0, 1.0])).round(3))
        [0.    0.731]

    References:
        Ramachandran et al., "Searching for Activation Functions", 2017.
    """
    return multiply(x, sigmoid(x))


@op
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """`x * P(X <= x)` for a standard normal X.

    Args:
        x: Tensor of floats.
        approximate: Take P as `0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`.

    Example:
        >>> print(convert_to_numpy(gelu([-1.0, 0.0, 1.0])).round(2))
        [-0.16  0.    0.84]

    References:
        Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    """
    if approximate:
        cube = multiply(multiply(x, x), x)
        inner = multiply(add(x, multiply(cube, 0.044715)), 0.7978845608028654)
        return multiply(multiply(x, 0.5), add(tanh(inner), 1.0))
    return multiply(multiply(x, 0.5), add(erf(multiply(x, 0.7071067811865476)), 1.0))


@op
def hard_sigmoid(x: Tensor) -> Tensor:
    """`relu6(x + 3) / 6`.

    Example:
        >>> convert_to_numpy(hard_sigmoid([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return clip(add(divide(x, 6.0), 0.5), 0.0, 1.0)


@op
def hard_silu(x: Tensor) -> Tensor:
    """`x * hard_sigmoid(x)`.

    Example:
        >>> convert_to_numpy(hard_silu([1.5, 3.0])).tolist()
        [1.125, 3.0]
    """
    return multiply(x, hard_sigmoid(x))


@op
def log_sigmoid(x: Tensor) -> Tensor:
    """`log(sigmoid(x))`, without overflow.

    Example:
        >>> print(convert_to_numpy(log_sigmoid([0.0])).round(3))
        [-0.693]
    """
    return negative(softplus(multiply(x, -1.0)))


def _along_axes(x: Spec, axis: Any = -1) -> Spec:
    normalize_axes(axis, len(x.shape), "ops.softmax")
    return Spec(x.shape, dtypes.float_type(x.dtype))


@op(rule=Rule(_along_axes, operands=dtypes.float_type))
def softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """`exp(x) / sum(exp(x))` along `axis`, without overflow.

    Args:
        x: Tensor of floats.
        axis: An axis, several, or None for all.

    Example:
        >>> convert_to_numpy(softmax([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """


@op
def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """`log(softmax(x))` along `axis`, without overflow.

    Example:
        >>> print(convert_to_numpy(log_softmax([0.0, 0.0])).round(3))
        [-0.693 -0.693]
    """
    return subtract(x, logsumexp(x, axis, keepdims=True))


@op(rule=Rule(_windows.conv, operands=dtypes.result_type))
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution over 1, 2 or 3 spatial axes.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        kernel: Tensor of shape `(*window, channels / groups, filters)`.
        strides: Steps of the window.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of the window.

    Returns:
        A tensor of the layout of `inputs`, with `filters` channels.

    Example:
        >>> x = ones((1, 5, 5, 3))
        >>> conv(x, ones((3, 3, 3, 4)), data_format="channels_last").shape == (1, 3, 3, 4)
        True
    """


@op(rule=Rule(_windows.conv_transpose, operands=dtypes.result_type))
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Transposed convolution: the gradient of `conv` with respect to its inputs.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        kernel: Tensor of shape `(*window, filters, channels)`.
        strides: Steps of the window in the output.
        padding: `"valid"` or `"same"`.
        output_padding: Elements added to the output's sizes; worked out by default.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.
        dilation_rate: Steps between the elements of the window.

    Example:
        >>> x = ones((1, 4, 1))
        >>> conv_transpose(x, ones((3, 2, 1)), data_format="channels_last").shape == (1, 6, 2)
        True
    """


@op(rule=Rule(_windows.pool))
def max_pool(
    inputs: Tensor,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Largest element of each window, channel by channel.

    Args:
        inputs: Tensor of shape `(batch, *sizes, channels)`, or with the channels before the sizes.
        pool_size: Sizes of the window.
        strides: Steps of the window; its sizes by default.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Example:
        >>> max_pool(ones((1, 4, 4, 2)), 2, data_format="channels_last").shape == (1, 2, 2, 2)
        True
    """


def _average_pool(inputs: Spec, *args: Any, **options: Any) -> Spec:
    return Spec(_windows.pool(inputs, *args, **options).shape, dtypes.float_type(inputs.dtype))


@op(rule=Rule(_average_pool, operands=dtypes.float_type))
def average_pool(
    inputs: Tensor,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Mean of each window, channel by channel; padding does not count. Arguments as `max_pool`.

    Example:
        >>> average_pool(ones((1, 4, 2)), 2, data_format="channels_last").shape == (1, 2, 2)
        True
    """


def _dense(x: Spec, kernel: Spec, bias: Spec | None = None) -> Spec:
    product = product_of(x, kernel)
    return product if bias is None else elementwise.infer(product, bias)


@op(rule=Rule(_dense))
def dense(x: Tensor, kernel: Tensor, bias: Tensor = None) -> Tensor:
    """`x @ kernel + bias`, in one call where a backend has one."""
    x = matmul(x, kernel)
    return x if bias is None else add(x, bias)


@op
def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """Adds one number a channel."""
    if data_format == "channels_first" and len(x.shape) > 2:
        bias = reshape(bias, (1, -1) + (1,) * (len(x.shape) - 2))
    return add(x, bias)


@op
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor = None,
    scale: Tensor = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, along `axis`.

    Args:
        x: Tensor of floats.
        mean: Means, of the size of `axis`.
        variance: Variances, likewise.
        axis: The axis that is kept apart.
        offset: Added at the end, or None.
        scale: Multiplied in, or None.
        epsilon: Added to the variance.

    Example:
        >>> y = batch_normalization([[2.0]], [1.0], [1.0], axis=-1, epsilon=0.0)
        >>> convert_to_numpy(y).tolist()
        [[1.0]]
    """
    place = normalize_axis(axis, len(x.shape), "ops.batch_normalization")
    _check_channels(x.shape[place], mean=mean, variance=variance, offset=offset, scale=scale)
    x = cast(x, dtypes.float_type(x.dtype))
    factor = rsqrt(add(variance, epsilon))
    factor = factor if scale is None else multiply(factor, scale)
    shift = multiply(negative(mean), factor)
    shift = shift if offset is None else add(shift, offset)
    if place < len(x.shape) - 1:
        shape = [1] * len(x.shape)
        shape[place] = -1
        factor, shift = reshape(factor, shape), reshape(shift, shape)
    return add(multiply(x, cast(factor, x.dtype)), cast(shift, x.dtype))


def _check_channels(size: int | None, **values: Any) -> None:
    """Refuses values that are not one for each channel."""
    for name, value in values.items():
        shape = None if value is None else tuple(value.shape)
        if shape is None or (len(shape) == 1 and (size is None or shape[0] in (size, None))):
            continue
        raise SpecError(
            "ops.batch_normalization", expected=f"{name} of shape {(size,)}, the size of axis",
            given=f"shape {shape}", fix="give one number for each channel",
        )  # fmt: skip


@op
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """Gated linear unit: one half of `x` times the sigmoid of the other.

    Example:
        >>> convert_to_numpy(glu([2.0, 0.0])).tolist()
        [1.0]
    """
    value, gate = split(x, 2, axis)
    return multiply(value, sigmoid(gate))


@op
def normalize(x: Tensor, axis: int = -1, order: float = 2, epsilon: float | None = None) -> Tensor:
    """`x` divided by its norm along `axis`.

    Example:
        >>> print(convert_to_numpy(normalize([3.0, 4.0])).round(2))
        [0.6 0.8]
    """
    epsilon = 1e-7 if epsilon is None else epsilon
    dtype = dtypes.float_type(spec_of(x).dtype)
    if order == 2:
        x = cast(x, dtypes.result_type(dtype, "float32"))  # squares leave float16's range
        total = sum(multiply(x, x), axis, True)
        return cast(multiply(x, rsqrt(maximum(total, epsilon**2))), dtype)
    x = cast(x, dtype)
    size = absolute(x)
    total = sum(size if order == 1 else size**order, axis, True) ** (1.0 / order)
    return divide(x, maximum(total, epsilon))
