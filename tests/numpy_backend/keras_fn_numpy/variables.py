"""Variables: the handle is an array, which an assignment replaces."""

from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn_numpy.tensors import Tensor, as_tensor


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> Tensor:
    """Creates a tensor that shares no memory."""
    del trainable, name
    return as_tensor(np.array(value, numpy_dtype(dtype)))


def assign(handle: Tensor, value: Tensor) -> Tensor:
    """Returns a copy of the value as the new handle."""
    del handle
    return value.copy()


def take_over(handle: Tensor, new: Tensor) -> Tensor:
    """Returns the new handle, which no one else holds."""
    del handle
    return new


def assign_add(handle: Tensor, value: Any) -> Tensor:
    """Returns the sum as the new handle."""
    return handle + value


def set_trainable(handle: Tensor, trainable: bool) -> None:
    """Does nothing: there are no gradients."""
