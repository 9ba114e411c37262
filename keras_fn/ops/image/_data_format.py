"""Axes of images by data format, and the conversion of results to the dtype of the pixels."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops.casting import saturate_cast
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import pad, reshape
from keras_fn.ops.math import round as round_
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor, TensorLike


def axes_of(images: Any, data_format: str | None, source: str) -> tuple[int, int, int]:
    """Returns the axes of height, width and channels, counted from the end.

    Raises:
        ValueError: `images` is not of rank 3 or 4.
    """
    rank = len(images.shape)
    if rank not in (3, 4):
        raise SpecError(
            source,
            expected="an image (rank 3) or a batch of images (rank 4)",
            received=f"shape {tuple(images.shape)}",
            fix="add or drop an axis",
        )
    channels_last = standardize_data_format(data_format) == "channels_last"
    return (-3, -2, -1) if channels_last else (-2, -1, -3)


def replace_sizes(shape: Any, sizes: dict[int, Any]) -> tuple[Any, ...]:
    """Returns a shape with other sizes at some axes."""
    result = list(shape)
    for axis, size in sizes.items():
        result[axis] = size
    return tuple(result)


def compute_dtype(dtype: Any) -> str:
    """Returns the float dtype for computations with pixels of `dtype`: float32 at least."""
    name = dtypes.float_type(dtype)
    return "float32" if name in ("float16", "bfloat16") else name


def to_pixels(x: TensorLike, dtype: str) -> Tensor:
    """Casts floats to `dtype`; integer dtypes are rounded and clipped to their range."""
    if dtype_of(x) == dtype:
        return cast(x, dtype)
    return saturate_cast(round_(x) if dtypes.is_int(dtype) else x, dtype)


def pad_axis(x: Any, axis: int, before: Any, total: Any, fill: Any) -> Tensor:
    """Pads an axis to the size `total`, so that `x` starts at index `before`."""
    size = shape_of(x)[axis]
    rank = len(x.shape)
    if all(isinstance(n, int) for n in (size, before, total)):
        if total == size:
            return x
        widths = [(0, 0)] * rank
        widths[axis] = (before, total - size - before)
        return pad(x, widths, constant_values=fill)
    # In a graph of TensorFlow with unknown sizes, `pad` would need them.
    indices = arange(total) - before
    inside = logical_and(greater_equal(indices, 0), less(indices, size))
    shape = [1] * rank
    shape[axis] = -1
    return where(reshape(inside, shape), take(x, indices, axis=axis), fill)
