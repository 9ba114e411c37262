"""Arrays and tensors in place of an initializer: the initial values themselves."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.errors import SpecError
from keras_fn.types import DTypeLike, Tensor

Array: TypeAlias = Tensor | np.ndarray | np.generic
"""The initial values: a tensor or a NumPy array."""


def is_array(x: object) -> bool:
    """Whether `x` is an array or a tensor, not something to look up or to call."""
    if callable(x) or isinstance(x, (str, dict, type(None))):
        return False
    return isinstance(x, (np.generic, np.ndarray)) or current().is_tensor(x)


class ArrayInitializer:
    """Initializer that returns an existing array.

    Args:
        value: The initial values, of the shape of the weight.

    Raises:
        ValueError: The weight has another shape. Raised by the call.
    """

    def __init__(self, value: Any):
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        if tuple(shape) != tuple(self.value.shape):
            raise SpecError(
                "initializer",
                expected=f"a weight of shape {tuple(self.value.shape)}, the shape of the array",
                received=f"shape {tuple(shape)}",
                fix="pass an array of the weight's shape",
            )
        return current().convert_to_tensor(self.value, standardize_dtype(dtype))
