"""The dense (linear) layer as an op, and bias addition."""

from __future__ import annotations

from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import elementwise
from keras_fn.ops.arithmetic import add
from keras_fn.ops.linalg.products import matmul, matmul_spec
from keras_fn.ops.manipulation import reshape
from keras_fn.types import Tensor, TensorLike


def _dense(x: TensorSpec, kernel: TensorSpec, bias: TensorSpec | None = None) -> TensorSpec:
    product = matmul_spec(x, kernel)
    return product if bias is None else elementwise.infer(product, bias)


@op(rule=Rule(_dense))
def dense(x: TensorLike, kernel: TensorLike, bias: TensorLike = None) -> Tensor:
    """`x @ kernel + bias`, in one call where a backend has one."""
    x = matmul(x, kernel)
    return x if bias is None else add(x, bias)


@op
def bias_add(x: TensorLike, bias: TensorLike, data_format: str | None = None) -> Tensor:
    """Adds one number a channel."""
    if data_format == "channels_first" and len(x.shape) > 2:
        bias = reshape(bias, (1, -1) + (1,) * (len(x.shape) - 2))
    return add(x, bias)
