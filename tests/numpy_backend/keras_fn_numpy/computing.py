"""What NumPy does otherwise than the contract wants, absorbed by two decorators."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from keras_fn_numpy.tensors import is_tensor


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives numbers the dtype of the tensor beside them; NaN and infinities warn nobody."""

    @wraps(function)
    def call(*operands: Any) -> Any:
        dtype = next(x.dtype for x in operands if is_tensor(x))
        with np.errstate(all="ignore"):
            return function(*(x if is_tensor(x) else np.asarray(x, dtype) for x in operands))

    return call


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Computes small floats in 32 bits; the result has the dtype of the first tensor."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        dtype = next(x.dtype for x in args if is_tensor(x))
        if dtype.kind in "fV" and dtype.itemsize < 4:  # NumPy counts bfloat16 as "V", a thing
            args = tuple(x.astype("float32") if is_tensor(x) else x for x in args)
        with np.errstate(all="ignore"):
            return np.asarray(function(*args, **options)).astype(dtype, copy=False)

    return call
