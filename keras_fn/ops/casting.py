"""Casts that keep values in the range of the new dtype: saturate_cast."""

from __future__ import annotations

import numpy as np

from keras_fn.core import dtypes
from keras_fn.ops.arithmetic import clip
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of
from keras_fn.ops.logic import greater, isnan, less, where
from keras_fn.types import DTypeLike, Tensor, TensorLike


def saturate_cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """Casts to another dtype; values outside its range become its minimum or maximum.

    Args:
        x: Tensor of any shape.
        dtype: The new dtype. Infinity becomes the largest number of a float dtype; NaN becomes 0
            as an integer.

    Returns:
        Tensor of the shape of `x`, of the new dtype.

    Example:
        >>> convert_to_numpy(saturate_cast([-5, 300], "uint8")).tolist()
        [0, 255]
    """
    source, target = dtype_of(x), dtypes.stored_dtype(dtypes.standardize_dtype(dtype))
    (low, high), limits = dtypes.limits(target), dtypes.limits(source)
    bottom, top = max(low, limits[0]), min(high, limits[1])
    kind = dtypes.numpy_dtype(source).type
    if not dtypes.is_float(source):
        return cast(_clip(x, bottom, top, source), target)
    if dtypes.is_float(target):
        low, high = bottom, top
    else:
        x = where(isnan(x), 0.0, x)
    if (
        float(kind(top)) > top
    ):  # the largest number is not one of the source: those that are stay below
        top = float(np.nextafter(kind(top), kind(0)))
    if float(kind(bottom)) < bottom:
        bottom = float(np.nextafter(kind(bottom), kind(0)))
    inside = cast(_clip(x, bottom, top, source), target)
    largest, smallest = (convert_to_tensor(n, target) for n in (high, low))
    return where(greater(x, top), largest, where(less(x, bottom), smallest, inside))


def _clip(x: TensorLike, low: float, high: float, dtype: str) -> Tensor:
    """Clips to numbers that need not fit into the dtype of a Python number."""
    return clip(x, convert_to_tensor(low, dtype), convert_to_tensor(high, dtype))
