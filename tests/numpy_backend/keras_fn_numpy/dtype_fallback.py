"""Dtype fallback: functions compute in another dtype where NumPy lacks the operand's."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from keras_fn.core import tree
from keras_fn_numpy.tensors import is_tensor


def wide(x: Any) -> Any:
    """Casts 16-bit and 8-bit floats to float32."""
    # To NumPy, bfloat16 is of kind "V" (void), and its NaN has no order.
    small = is_tensor(x) and x.dtype.kind in "fV" and x.dtype.itemsize < 4
    return x.astype("float32") if small else x


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: computes small floats in float32; results have the dtype of the first tensor.

    The exception: real and complex numbers are not cast to each other.
    """

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        dtype = next(x.dtype for x in tree.flatten(args) if is_tensor(x))
        is_complex = dtype.kind == "c"

        def back(y: Any) -> Any:
            return y.astype(dtype, copy=False) if (y.dtype.kind == "c") == is_complex else y

        results = function(*tree.map_structure(wide, args), **options)
        return tuple(map(back, results)) if isinstance(results, tuple) else back(results)

    return call
