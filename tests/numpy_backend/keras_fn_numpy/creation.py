"""Array creation: constants, ranges, diagonals, triangles."""

from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn_numpy.tensors import convert_to_tensor


def full(shape: Any, value: float, dtype: str) -> Any:
    """Creates a constant tensor."""
    return convert_to_tensor(np.full(shape, value, numpy_dtype(dtype)))


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    """`np.arange`, cast afterwards: NumPy would cast the step first."""
    return convert_to_tensor(np.arange(start, stop, step), dtype)
