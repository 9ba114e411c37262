"""Which errors of PyTorch say that it does not accept the arguments of an op."""

import torch

from keras_fn.errors import PYTHON_REFUSALS


def is_refusal(error: Exception) -> bool:
    """Returns whether an error is about the arguments: not about memory, devices or compilers."""
    if isinstance(error, torch.OutOfMemoryError):
        return False
    return type(error) in (RuntimeError, NotImplementedError) or isinstance(error, PYTHON_REFUSALS)


def needs_values(error: Exception) -> bool:
    """Returns False: all tensors have values."""
    del error
    return False
