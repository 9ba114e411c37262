"""Histogram equalization of batches of images: each channel of each image by itself.

References:
    Gonzalez and Woods, "Digital Image Processing", 1992, section 3.3.
    Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994.
"""

from __future__ import annotations

from typing import Any

from keras_fn.layers.preprocessing.image._pixels import (
    BYTES,
    along,
    pad_by_reflection,
    spatial_axes,
    to_levels,
)
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    transform_value_range,
)
from keras_fn.ops._op import op
from keras_fn.ops._rules import like
from keras_fn.ops.arithmetic import add, clip, divide, maximum, minimum, multiply, subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange, zeros
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.logic import equal, greater, where
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import floor, round as round_
from keras_fn.ops.reductions import cumsum, min as min_, sum as sum_
from keras_fn.ops.scatter import scatter_update
from keras_fn.types import Tensor


def _count(indices: Tensor, total: Any) -> Tensor:
    """Returns how often each integer below `total` occurs."""
    indices = reshape(indices, (-1, 1))
    ones: Any = 1
    return scatter_update(zeros((total,), "int32"), indices, ones, reduction="add")


def _plane_index(sizes: Any, channel_axis: int) -> Tensor:
    """Numbers the channels of all images, in a tensor that broadcasts to the images."""
    batch, channels = sizes[0], sizes[channel_axis]
    images = multiply(along(-4, arange(batch, dtype="int32")), channels)
    return add(images, along(channel_axis, arange(channels, dtype="int32")))


@op(rule=like)
def equalize_histogram(images: Tensor, bins: int, value_range: Any, channel_axis: int) -> Tensor:
    """Maps the pixels of each channel so that all values are about equally frequent.

    The cumulative frequency of a bin, without that of the first bin in use, becomes the value of
    its pixels, rounded to one of 256. A channel of one bin stays as it is.

    Args:
        images: Floats, with a batch axis.
        bins: Number of bins of the histogram.
        value_range: The range of the values.
        channel_axis: The axis of the channels.
    """
    sizes = shape_of(images)
    planes = sizes[0] * sizes[channel_axis]
    level = cast(to_levels(images, value_range, bins), "int32")
    index = add(multiply(_plane_index(sizes, channel_axis), bins), level)
    counts = reshape(_count(index, planes * bins), (planes, bins))
    cumulative = cumsum(counts, axis=1)
    total = getitem(cumulative, (slice(None), slice(-1, None)))
    first = min_(where(greater(cumulative, 0), cumulative, total), axis=1, keepdims=True)
    is_flat = equal(total, first)
    rest = cast(where(is_flat, 1, subtract(total, first)), "float32")
    scaled = multiply(cast(maximum(subtract(cumulative, first), 0), "float32"), 255.0)
    table = transform_value_range(clip(round_(divide(scaled, rest)), *BYTES), BYTES, value_range)
    equalized = cast(take(reshape(table, (-1,)), index), images.dtype)
    is_flat = take(reshape(is_flat, (-1,)), _plane_index(sizes, channel_axis))
    return where(is_flat, images, equalized)


@op(rule=like)
def equalize_adaptively(
    images: Tensor, clip_limit: float, tile_grid_size: Any, value_range: Any, channel_axis: int
) -> Tensor:
    """Equalizes each pixel by the histograms of the four tiles around it, whose peaks are clipped.

    Args:
        images: Floats, with a batch axis. They are reflected below and to the right, up to a
            multiple of the number of tiles.
        clip_limit: The highest count of a bin, as a multiple of the mean count. What is above is
            given to all bins alike. 0 or less for no limit.
        tile_grid_size: The number of tiles along the height and the width.
        value_range: The range of the values.
        channel_axis: The axis of the channels.
    """
    sizes = shape_of(images)
    axes = spatial_axes(channel_axis)
    tiles = [(sizes[axis] + n - 1) // n for axis, n in zip(axes, tile_grid_size, strict=True)]
    levels = padded = cast(to_levels(images, value_range), "int32")
    for axis, n, size in zip(axes, tile_grid_size, tiles, strict=True):
        missing = n * size - sizes[axis]
        if not isinstance(missing, int) or missing:
            padded = pad_by_reflection(padded, axis, 0, missing, repeat=True)
    planes = _plane_index(sizes, channel_axis)
    positions = [
        arange(n * size, dtype="int32") for n, size in zip(tile_grid_size, tiles, strict=True)
    ]
    tile = _tile_index(
        planes,
        [along(a, p // size) for a, p, size in zip(axes, positions, tiles, strict=True)],
        tile_grid_size,
    )
    total = sizes[0] * sizes[channel_axis] * tile_grid_size[0] * tile_grid_size[1]
    counts = _count(add(multiply(tile, 256), padded), total * 256)
    table = _clipped_table(reshape(counts, (total, 256)), tiles[0] * tiles[1], clip_limit)
    return transform_value_range(
        cast(_interpolate(table, levels, planes, tiles, tile_grid_size, axes), images.dtype),
        BYTES,
        value_range,
    )


def _tile_index(planes: Tensor, position: Any, grid: Any) -> Tensor:
    """Numbers the tiles of all channels, given the row and the column of tiles of each pixel."""
    row, column = position
    return add(multiply(add(multiply(planes, grid[0]), row), grid[1]), column)


def _clipped_table(counts: Tensor, pixels: Any, clip_limit: float) -> Tensor:
    """Returns the new value (0 to 255) of each level in each tile, from the counts."""
    histogram = cast(counts, "float32")
    pixels = cast(pixels, "float32")
    if clip_limit > 0:
        clipped = minimum(histogram, multiply(pixels, clip_limit / 256.0))
        excess = sum_(subtract(histogram, clipped), axis=1, keepdims=True)
        histogram = add(clipped, divide(excess, 256.0))
    cumulative = cumsum(histogram, axis=1)
    first = getitem(cumulative, (slice(None), slice(0, 1)))
    rest = subtract(pixels, first)
    rest = where(equal(rest, 0.0), 1.0, rest)
    return clip(divide(multiply(subtract(cumulative, first), 255.0), rest), *BYTES)


def _interpolate(
    table: Tensor, levels: Tensor, planes: Tensor, tiles: Any, grid: Any, axes: Any
) -> Tensor:
    """Looks each pixel up in the tables of the nearest four tiles, weighted by distance."""
    table = reshape(table, (-1,))
    neighbors: list[Any] = []
    for axis, n, size in zip(axes, grid, tiles, strict=True):
        position = arange(shape_of(levels)[axis], dtype="float32")
        position = subtract(divide(position, cast(size, "float32")), 0.5)
        lower = floor(position)
        weight = along(axis, subtract(position, lower))
        lower = cast(lower, "int32")
        neighbors.append(
            [
                (along(axis, clip(lower, 0, n - 1)), subtract(1.0, weight)),
                (along(axis, clip(add(lower, 1), 0, n - 1)), weight),
            ]
        )
    total: Any = 0.0
    for row, row_weight in neighbors[0]:
        for column, column_weight in neighbors[1]:
            tile = _tile_index(planes, (row, column), grid)
            values = take(table, add(multiply(tile, 256), levels))
            total = add(total, multiply(values, multiply(row_weight, column_weight)))
    return total
