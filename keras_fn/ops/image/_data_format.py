"""Where the axes of images are, and how results become pixels of the dtype that came."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops.arithmetic import saturate_cast
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import pad, reshape
from keras_fn.ops.math import round as round_
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor, TensorLike


def axes_of(images: Any, data_format: str | None, source: str) -> tuple[int, int, int]:
    """Returns the axes of height, width and channels, counted from the end."""
    rank = len(images.shape)
    if rank not in (3, 4):
        raise SpecError(
            source,
            expected="an image (rank 3) or a batch of images (rank 4)",
            received=f"shape {tuple(images.shape)}",
            fix="add or drop an axis",
        )
    last = standardize_data_format(data_format) == "channels_last"
    return (-3, -2, -1) if last else (-2, -1, -3)


def alike(shape: Any, other: Any) -> bool:
    """Whether two shapes may be one, as far as their sizes are known."""
    return len(shape) == len(other) and all(
        None in (a, b) or a == b for a, b in zip(shape, other, strict=True)
    )


def replaced(shape: Any, sizes: dict[int, Any]) -> tuple[Any, ...]:
    """Returns a shape with other sizes at some axes, which are counted from the end."""
    result = list(shape)
    for axis, size in sizes.items():
        result[axis] = size
    return tuple(result)


def one_of(value: Any, values: Any, name: str, source: str) -> None:
    """Refuses what is none of the values."""
    if value not in values:
        raise SpecError(
            source,
            expected=f"{name} one of {', '.join(map(repr, values))}",
            received=f"{name}={value!r}",
            fix=f"check {name}=",
        )


def working_dtype(dtype: Any) -> str:
    """The float dtype in which pixels of `dtype` are computed: no narrower than float32."""
    name = dtypes.float_type(dtype)
    return "float32" if name in ("float16", "bfloat16") else name


def to_pixels(x: TensorLike, dtype: str) -> Tensor:
    """Casts floats to `dtype`; where that is an integer, to the nearest in its range."""
    return saturate_cast(round_(x) if dtypes.is_int(dtype) else x, dtype)


def placed(x: TensorLike, axis: int, before: Any, total: Any, fill: Any) -> Tensor:
    """Pads an axis so that `x` begins at `before` and there are `total` elements."""
    size = shape_of(x)[axis]
    rank = len(x.shape)
    if all(isinstance(n, int) for n in (size, before, total)):
        if total == size:
            return x
        widths = [(0, 0)] * rank
        widths[axis] = (before, total - size - before)
        return pad(x, widths, constant_values=fill)
    # A graph of TensorFlow with unknown sizes: padding would need them.
    places = arange(total) - before
    inside = logical_and(greater_equal(places, 0), less(places, size))
    shape = [1] * rank
    shape[axis] = -1
    return where(reshape(inside, shape), take(x, places, axis=axis), fill)
