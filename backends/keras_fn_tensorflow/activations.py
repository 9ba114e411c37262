"""Activation functions."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.dtype_fallback import in_float32, to_float
from keras_fn_tensorflow.elementwise import Op
from keras_fn_tensorflow.logic import where


def _activation(function: Op) -> Op:
    def call(x: Any) -> tf.Tensor:
        return function(features=to_float(x))

    return call


softplus = _activation(raw.Softplus)

softsign = _activation(raw.Softsign)

selu = _activation(raw.Selu)


def relu(x: Any) -> tf.Tensor:
    """`max(x, 0)`."""
    return raw.Relu(features=x)


def relu6(x: Any) -> tf.Tensor:
    """`min(max(x, 0), 6)`."""
    return raw.Relu6(features=x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> tf.Tensor:
    """`raw.LeakyRelu`."""
    return raw.LeakyRelu(features=to_float(x), alpha=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> tf.Tensor:
    """`raw.Elu`, which supports `alpha=1` only."""
    x = to_float(x)
    return raw.Elu(features=x) if alpha == 1 else where(x > 0, x, raw.Elu(features=x) * alpha)


def silu(x: Any) -> tf.Tensor:
    """`tf.nn.silu`, whose gradient stores only `x`."""
    return tf.nn.silu(to_float(x))


def softmax(x: Any, axis: Any = -1) -> tf.Tensor:
    """`tf.nn.softmax`; over several axes by `exp` and `reduce_sum`."""
    if isinstance(axis, int):
        return _softmax(x, axis)
    return _softmax_over(x, axis)


_softmax = in_float32(tf.nn.softmax)


@in_float32
def _softmax_over(x: Any, axis: Any) -> tf.Tensor:
    shifted = tf.exp(x - tf.stop_gradient(tf.reduce_max(x, axis, keepdims=True)))
    return shifted / tf.reduce_sum(shifted, axis, keepdims=True)


def log_softmax(x: Any, axis: Any = -1) -> tf.Tensor:
    """`tf.nn.log_softmax`; over several axes by `reduce_logsumexp`."""
    x = to_float(x)
    if isinstance(axis, int):
        return _log_softmax(x, axis)
    return _log_softmax_over(x, axis)


_log_softmax = in_float32(tf.nn.log_softmax)


@in_float32
def _log_softmax_over(x: Any, axis: Any) -> tf.Tensor:
    return x - tf.reduce_logsumexp(x, axis, keepdims=True)
