"""The dense (linear) op: matrix product and bias in one."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.core import dtypes
from keras_fn_tensorflow.linalg import matmul
from keras_fn_tensorflow.math import add
from keras_fn_tensorflow.tensors import cast, dtype_name, shape


def dense(x: Any, kernel: Any, bias: Any = None) -> tf.Tensor:
    """Matrix product and `BiasAdd`, whose gradient is cheaper than a broadcast sum's."""
    if x.dtype != kernel.dtype or (bias is not None and bias.dtype != kernel.dtype):
        received = [t for t in (x, kernel, bias) if t is not None]
        dtype = dtypes.result_type(*map(dtype_name, received))
        x, kernel, bias = (None if t is None else cast(t, dtype) for t in (x, kernel, bias))
    product = matmul(x, kernel)
    if bias is None:
        return product
    if bias.shape.rank == 1 and product.shape.rank > 1 and kernel.shape[-1] == bias.shape[0]:
        return raw.BiasAdd(value=product, bias=bias)
    return add(product, bias)


def dense_general(x: Any, kernel: Any, bias: Any = None, axes: int = 1) -> tf.Tensor:
    """One product of matrices with the bias: the axes are merged."""
    inputs, outputs = kernel.shape[:axes], kernel.shape[axes:]
    rows = raw.Reshape(tensor=x, shape=[-1, inputs.num_elements()])
    columns = raw.Reshape(tensor=kernel, shape=[inputs.num_elements(), -1])
    bias = None if bias is None else raw.Reshape(tensor=bias, shape=[-1])
    product = dense(rows, columns, bias)
    return tf.reshape(product, [*shape(x)[: x.shape.rank - axes], *outputs])
