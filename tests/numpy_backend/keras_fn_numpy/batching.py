"""Batches of arrays: host to device, splitting into batches, gathering rows."""

import numpy as np

from keras_fn_numpy.tensors import Tensor, from_numpy

prepare_host_batch = from_numpy


def split_into_batches(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Splits the indices into batches."""
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def gather_rows(x: Tensor, indices: np.ndarray) -> Tensor:
    """Gathers the samples of a batch."""
    return x[indices]
