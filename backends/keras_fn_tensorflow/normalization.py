"""Batch normalization in one op, and the mean over the replicas of a strategy."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.tensors import shape


def batch_norm_train(
    x: Any, gamma: Any, beta: Any, axis: int, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`FusedBatchNormV3` for float32 with channels last, twice as fast as the composite."""
    rank = x.shape.rank
    size = x.shape[axis]
    if x.dtype != tf.float32 or range(rank)[axis] != rank - 1 or size is None:
        return _batch_norm_composite(x, gamma, beta, range(rank)[axis], epsilon)
    flat = x if rank == 4 else tf.reshape(x, [-1, 1, 1, size])
    y, mean, variance, *_ = raw.FusedBatchNormV3(
        x=flat,
        scale=tf.ones(size) if gamma is None else gamma,
        offset=tf.zeros(size) if beta is None else beta,
        mean=[],
        variance=[],
        epsilon=epsilon,
    )
    number = tf.cast(tf.size(flat) // size, tf.float32)
    variance = variance * (number - 1) / number  # TensorFlow returns the unbiased variance
    y = y if rank == 4 else tf.reshape(y, shape(x))
    return y, tf.stop_gradient(mean), tf.stop_gradient(variance)


def _batch_norm_composite(
    x: Any, gamma: Any, beta: Any, axis: int, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    others = [i for i in range(x.shape.rank) if i != axis]
    mean, variance = tf.nn.moments(x, others, keepdims=True)
    sizes = [-1 if i == axis else 1 for i in range(x.shape.rank)]
    offset, scale = (None if t is None else tf.reshape(t, sizes) for t in (beta, gamma))
    y = tf.nn.batch_normalization(x, mean, variance, offset, scale, epsilon)  # type: ignore[arg-type]
    moments = (tf.stop_gradient(tf.reshape(t, [-1])) for t in (mean, variance))
    return (y, *moments)


def all_reduce_mean(x: tf.Tensor) -> tf.Tensor:
    """Mean over the replicas of a `tf.distribute` strategy, differentiable."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return x
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)
