"""Ragged tensors: `tf.RaggedTensor`, as data for models."""

import numpy as np
import tensorflow as tf


def ragged_samples(x: tf.RaggedTensor) -> list[np.ndarray]:
    """Returns the samples of an eager ragged tensor, each an array of its own length."""
    if x.ragged_rank > 1:
        raise ValueError(f"more than one ragged axis: shape {tuple(x.shape)}")
    return np.split(x.values.numpy(), x.row_splits.numpy()[1:-1])


def ragged_from_rows(values: np.ndarray, row_lengths: np.ndarray) -> tf.RaggedTensor:
    """`tf.RaggedTensor.from_row_lengths`."""
    return tf.RaggedTensor.from_row_lengths(values, row_lengths)  # type: ignore[attr-defined]
