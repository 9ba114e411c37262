"""Ragged tensors: nested tensors of PyTorch, as data for models."""

from typing import Any

import numpy as np
import torch

from keras_fn_torch.tensors import convert_to_numpy


def is_ragged(x: Any) -> bool:
    """Returns whether `x` is a nested tensor, in either layout."""
    return isinstance(x, torch.Tensor) and x.is_nested


def ragged_samples(x: torch.Tensor) -> list[np.ndarray]:
    """Returns the samples of a nested tensor, each an array of its own length."""
    return [convert_to_numpy(sample) for sample in x.unbind()]
