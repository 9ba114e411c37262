"""Batches of arrays: host to device, splitting into batches, gathering rows."""

import numpy as np
import tensorflow as tf

from keras_fn_tensorflow.tensors import from_numpy

prepare_host_batch = from_numpy


def split_into_batches(order: np.ndarray, batch_size: int) -> list[tf.Tensor]:
    """The indices of each batch."""
    return [tf.constant(order[i : i + batch_size]) for i in range(0, len(order), batch_size)]


def gather_rows(x: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """The samples of a batch."""
    return tf.gather(x, indices)
