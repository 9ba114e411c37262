"""Batches of arrays: host to device, splitting into batches, gathering rows."""

import numpy as np
import tensorflow as tf

from keras_fn_tensorflow.tensors import from_numpy

prepare_host_batch = from_numpy


def split_into_batches(order: np.ndarray, batch_size: int) -> list[tf.Tensor]:
    """Splits the indices into one tensor for each batch."""
    return [tf.constant(order[i : i + batch_size]) for i in range(0, len(order), batch_size)]


def gather_rows(x: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """Gathers the samples of a batch."""
    return tf.gather(x, indices)
