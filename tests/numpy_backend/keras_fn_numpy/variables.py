"""Variables: the handle is an array, which an assignment replaces."""

from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn_numpy.tensors import Tensor, _tensor


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> Tensor:
    """The state is a tensor that nobody else holds."""
    del trainable, name
    return _tensor(np.array(value, numpy_dtype(dtype)))


def assign(handle: Tensor, value: Tensor) -> Tensor:
    """A new tensor: what was read before stays as it is."""
    del handle
    return value.copy()


def assign_add(handle: Tensor, value: Any) -> Tensor:
    """The sum replaces the old tensor."""
    return handle + value


def set_trainable(handle: Tensor, trainable: bool) -> None:
    """There are no gradients that might be wanted."""
