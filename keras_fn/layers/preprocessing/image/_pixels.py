"""Pixels: levels, one number for each image, masks of borders, reflection."""

from typing import Any

from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    transform_value_range,
)
from keras_fn.ops.arithmetic import add, clip, maximum, minimum, mod, subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.ops.logic import logical_and
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import floor
from keras_fn.ops.rearranging import flip
from keras_fn.types import Tensor

BYTES = (0, 255)
_NOISE = 1e-4  # more than the rounding error of a byte that was scaled to floats and back

Range = tuple[float, float] | list[float]


def to_levels(images: Tensor, value_range: Range, levels: int = 256) -> Tensor:
    """Quantizes values to `levels` integers from 0, as a byte has 256; returned as floats.

    A byte that was divided by 255 has the level of the byte, whatever the rounding error.
    """
    scaled = transform_value_range(images, value_range, (0, levels - 1))
    return clip(floor(add(scaled, _NOISE)), 0, levels - 1)


def to_bytes(images: Tensor, value_range: Range) -> Tensor:
    """Quantizes values to bytes: the levels of `to_levels` in a dtype that has their bits."""
    scaled = transform_value_range(images, value_range, BYTES)
    return cast(clip(add(scaled, _NOISE), *BYTES), "uint8")


def for_each_image(values: Any, dtype: Any = None) -> Tensor:
    """Reshapes one number for each image to `(batch, 1, 1, 1)`."""
    values = reshape(values, (-1, 1, 1, 1))
    return values if dtype is None else cast(values, dtype)


def spatial_axes(channel_axis: int) -> tuple[int, int]:
    """Returns the axes of height and width, counted from the end."""
    return (-3, -2) if channel_axis == -1 else (-2, -1)


def along(axis: int, values: Tensor) -> Tensor:
    """Reshapes a vector so that it lies along an axis, counted from the end, of images."""
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    return reshape(values, shape)


def interior(images: Tensor, channel_axis: int) -> Tensor:
    """Returns a mask of the pixels that are not at the border, which broadcasts to the images."""
    sizes = shape_of(images)
    inside: Any = None
    for axis in spatial_axes(channel_axis):
        index = along(axis, arange(sizes[axis], dtype="int32"))
        part = logical_and(index > 0, index < sizes[axis] - 1)
        inside = part if inside is None else logical_and(inside, part)
    return inside


def pad_by_reflection(images: Tensor, axis: int, before: int, after: Any, repeat: bool) -> Tensor:
    """Pads an axis by reflection, as often as it takes: images may be smaller than the padding.

    Args:
        images: Tensor.
        axis: The axis to pad.
        before: Number of pixels to add before.
        after: Number of pixels to add after; may be a tensor.
        repeat: Whether the pixel at the border is repeated (`d c b a | a b c d | d c b a`).
    """
    size = shape_of(images)[axis]
    skipped = 0 if repeat else 1
    if isinstance(size, int) and isinstance(after, int) and size >= max(before, after) + skipped:
        return _pad_by_slices(images, axis, before, after, skipped)
    period = 2 * size if repeat else maximum(2 * size - 2, 1)
    index = mod(subtract(arange(before + size + after, dtype="int32"), before), period)
    mirrored = subtract(period - 1 if repeat else period, index)
    return take(images, minimum(index, mirrored), axis=axis)


def _pad_by_slices(images: Tensor, axis: int, before: int, after: int, skipped: int) -> Tensor:
    """Pads an axis whose size is more than the padding: without a gather of every pixel."""
    last = images.shape[axis] - skipped
    sides = ((skipped, skipped + before), (last - after, last))
    start, end = (
        flip(getitem(images, (..., slice(*side), *(slice(None),) * (-axis - 1))), axis)
        for side in sides
    )
    return concatenate([start, images, end], axis=axis)
