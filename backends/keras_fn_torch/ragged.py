"""Ragged tensors: nested tensors of PyTorch, as data for models."""

import numpy as np
import torch

from keras_fn_torch.tensors import convert_to_numpy


def ragged_samples(x: torch.Tensor) -> list[np.ndarray]:
    """Returns the samples of a nested tensor, each an array of its own length."""
    return [convert_to_numpy(sample) for sample in x.unbind()]
