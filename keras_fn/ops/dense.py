"""Dense (fully connected) layers as ops, and bias addition."""

from __future__ import annotations

from keras_fn.core import dtypes
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import elementwise
from keras_fn.ops.arithmetic import add
from keras_fn.ops.linalg.products import (
    einsum,
    einsum_spec,
    matmul,
    matmul_spec,
    tensordot,
)
from keras_fn.ops.manipulation import reshape
from keras_fn.types import Tensor, TensorLike


def _dense(x: TensorSpec, kernel: TensorSpec, bias: TensorSpec | None = None) -> TensorSpec:
    product = matmul_spec(x, kernel)
    return product if bias is None else elementwise.infer(product, bias)


@op(rule=Rule(_dense))
def dense(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """Dense (fully connected) layer: `x @ kernel + bias`, in one call where the backend has one.

    Args:
        x: Tensor of shape `(..., in_features)`.
        kernel: Tensor of shape `(in_features, units)`.
        bias: Tensor of shape `(units,)`, or None.

    Returns:
        A tensor of shape `(..., units)`, in the dtype that the arguments promote to.

    Raises:
        ValueError: The shapes do not match.

    Example:
        >>> from keras_fn.ops.dense import dense
        >>> convert_to_numpy(dense([[1.0, 2.0]], [[1.0], [1.0]], [0.5])).tolist()
        [[3.5]]
    """
    x = matmul(x, kernel)
    return x if bias is None else add(x, bias)


def _dense_general(
    x: TensorSpec, kernel: TensorSpec, bias: TensorSpec | None = None, axes: int = 1
) -> TensorSpec:
    operands = [t.dtype for t in (x, kernel, bias) if t is not None]
    kept = len(x.shape) - axes
    return TensorSpec((*x.shape[:kept], *kernel.shape[axes:]), dtypes.result_type(*operands))


@op(rule=Rule(_dense_general))
def dense_general(
    x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None, axes: int = 1
) -> Tensor:
    """Dense layer over several axes: contracts the last axes of `x` with the first of `kernel`.

    Args:
        x: Tensor of shape `(..., *inputs)`.
        kernel: Tensor of shape `(*inputs, *outputs)`.
        bias: Tensor of shape `outputs`, or None.
        axes: How many axes `inputs` are.

    Returns:
        A tensor of shape `(..., *outputs)`, in the dtype that the arguments promote to.

    Example:
        >>> from keras_fn.ops.dense import dense_general
        >>> dense_general(ones((5, 2, 3)), ones((3, 4, 6))).shape == (5, 2, 4, 6)
        True
    """
    product = tensordot(x, kernel, axes)
    return product if bias is None else add(product, bias)


@op(rule=Rule(matmul_spec))
def int8_matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Matrix product of 8-bit integers, added in 32 bits: by the hardware where the backend can.

    Args:
        x1: Tensor of int8, of shape `(..., m, k)`.
        x2: Tensor of int8, of shape `(..., k, n)`.

    Returns:
        A tensor of int32, of shape `(..., m, n)`.

    Example:
        >>> from keras_fn.ops.dense import int8_matmul
        >>> x = convert_to_tensor([[100, 100]], "int8")
        >>> int(int8_matmul(x, transpose(x))[0, 0])
        20000
    """
    return matmul(x1, x2)


@op(rule=Rule(einsum_spec))
def int8_einsum(subscripts: str, x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of products of 8-bit integers, added in 32 bits: by the hardware where the backend can.

    Args:
        subscripts: The equation.
        x1: Tensor of int8.
        x2: Tensor of int8.

    Returns:
        A tensor of int32, of the shape on the right of the arrow.

    Example:
        >>> from keras_fn.ops.dense import int8_einsum
        >>> x = convert_to_tensor([100, 100], "int8")
        >>> int(int8_einsum("i,i->", x, x))
        20000
    """
    return einsum(subscripts, x1, x2)


@op
def bias_add(x: Tensor, bias: TensorLike, data_format: str | None = None) -> Tensor:
    """Adds a bias to each channel.

    Args:
        x: Tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`.
        bias: Tensor of shape `(channels,)`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.

    Returns:
        A tensor of the shape of `x`, in the dtype that the arguments promote to.

    Example:
        >>> from keras_fn.ops.dense import bias_add
        >>> convert_to_numpy(bias_add([[1.0, 2.0]], [10.0, 20.0])).tolist()
        [[11.0, 22.0]]
    """
    if data_format == "channels_first" and len(x.shape) > 2:
        bias = reshape(bias, (1, -1) + (1,) * (len(x.shape) - 2))
    return add(x, bias)
