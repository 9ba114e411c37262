"""Ragged tensors: nested tensors of PyTorch, as data for models."""

import numpy as np
import torch

from keras_fn_torch.tensors import convert_to_numpy, from_numpy


def ragged_samples(x: torch.Tensor) -> list[np.ndarray]:
    """Returns the samples of a nested tensor, each an array of its own length."""
    return [convert_to_numpy(sample) for sample in x.unbind()]


def ragged_from_rows(values: np.ndarray, row_lengths: np.ndarray) -> torch.Tensor:
    """`torch.nested.nested_tensor_from_jagged`."""
    offsets = from_numpy(np.concatenate([[0], np.cumsum(row_lengths)]))
    return torch.nested.nested_tensor_from_jagged(from_numpy(values), offsets)
