"""Comparisons, logical operators and tests of elements."""

from typing import Any

import numpy as np

from keras_fn_numpy.tensors import is_tensor


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`np.where`; a number takes the dtype of the tensor next to it."""
    operands = [x for x in (x1, x2) if x is not None]
    dtype = next((x.dtype for x in operands if is_tensor(x)), None)
    selected = np.where(condition, *(np.asanyarray(x, dtype) for x in operands))
    return selected if operands else tuple(indices.astype("int32") for indices in selected)
