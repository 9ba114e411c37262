"""Batches of arrays: host to device, splitting into batches, gathering rows."""

import numpy as np
import torch

from keras_fn_torch.device import default_device
from keras_fn_torch.tensors import Tensor, from_numpy

prepare_host_batch = from_numpy


def split_into_batches(order: np.ndarray, batch_size: int) -> tuple[Tensor, ...]:
    """Copies the indices to the device at once and splits them there."""
    return torch.from_numpy(order).to(default_device()).split(batch_size)


def gather_rows(x: Tensor, indices: Tensor) -> Tensor:
    """Gathers the samples of a batch."""
    return x.index_select(0, indices)
