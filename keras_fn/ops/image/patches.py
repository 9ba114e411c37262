"""Patches of images and volumes."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.backend.conv_geometry import Sizes, per_axis, same_padding, standardize_padding
from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._conv_shapes import window_sizes
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import product
from keras_fn.ops.arithmetic import maximum
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.image._data_format import pad_axis
from keras_fn.ops.indexing import take
from keras_fn.ops.manipulation import reshape, transpose
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor, TensorLike

_SOURCE = "ops.image.extract_patches"


def _plan(images: Any, size: Sizes, strides: Any, dilation_rate: Sizes, padding: str) -> Any:
    """Returns the sizes of a patch, its strides and dilation rates, one for each spatial axis."""
    spatial = 2 if isinstance(size, int) else len(size)
    if spatial not in (2, 3):
        raise SpecError(
            _SOURCE,
            expected="a size for two axes, or for three",
            received=f"size={size}",
            fix="check size=",
        )
    if len(images.shape) not in (spatial + 1, spatial + 2):
        kind = "an image (rank 3) or a batch of images (rank 4)"
        volume = "a volume (rank 4) or a batch of volumes (rank 5)"
        raise SpecError(
            _SOURCE,
            expected=kind if spatial == 2 else volume,
            received=f"shape {tuple(images.shape)}",
            fix="add or drop an axis",
        )
    standardize_padding(padding, _SOURCE)
    options = (size, strides or size, dilation_rate)
    plan = tuple(per_axis(n, spatial) for n in options)
    if any(len(n) != spatial or min(n) < 1 for n in plan):
        raise SpecError(
            _SOURCE,
            expected=f"sizes, strides and dilation rates of 1 or more for {spatial} axes",
            received=f"size={size}, strides={strides}, dilation_rate={dilation_rate}",
            fix="pass one number, or one for each axis",
        )
    return plan


def _first_axis(images: Any, spatial: int, data_format: str | None) -> tuple[int, int]:
    """Returns the first spatial axis and the channel axis, counted from the front."""
    rank = len(images.shape)
    if standardize_data_format(data_format) == "channels_last":
        return rank - spatial - 1, rank - 1
    return rank - spatial, rank - spatial - 1


def _patches(
    images: TensorSpec,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> TensorSpec:
    window, steps, dilation = _plan(images, size, strides, dilation_rate, padding)
    first, channel = _first_axis(images, len(window), data_format)
    sizes = images.shape[first : first + len(window)]
    counts = window_sizes(sizes, window, steps, padding, dilation, _SOURCE)
    shape = list(images.shape)
    shape[first : first + len(window)] = counts
    shape[channel] = product((*window, images.shape[channel]))
    return TensorSpec(tuple(shape), dtypes.result_type(images.dtype))


@op(rule=Rule(_patches))
def extract_patches(
    images: TensorLike,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Extracts patches of images, each flattened into the channels.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height; volumes if `size` has three numbers.
        size: Height and width of a patch, or one number for both.
        strides: Distance between patches: an integer, or one for each axis; `size` by default.
        dilation_rate: Step between the pixels of a patch.
        padding: `"valid"`, or `"same"`, which pads with zeros to `ceil(size / stride)` patches.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the dtype of `images`, whose height and width count the patches and whose
        channels are the `patch_height * patch_width * channels` elements of a patch, in this order.

    Raises:
        ValueError: The arguments do not match, or the patch does not fit the images.

    Example:
        >>> x = np.arange(4.0).reshape(2, 2, 1)
        >>> convert_to_numpy(ops.image.extract_patches(x, 2, data_format="channels_last")).tolist()
        [[[0.0, 1.0, 2.0, 3.0]]]
    """
    window, steps, dilation = _plan(images, size, strides, dilation_rate, padding)
    spatial = len(window)
    first, channel = _first_axis(images, spatial, data_format)
    sizes = shape_of(images)
    known = tuple(n if isinstance(n, int) else None for n in sizes[first : first + spatial])
    window_sizes(known, window, steps, padding, dilation, _SOURCE)
    x = images
    for i in range(spatial):
        # Each axis is split into two; the axes before it have been split already.
        x = _windows(x, first + 2 * i, window[i], steps[i], dilation[i], padding)
    patches = [first + 2 * i for i in range(spatial)]
    inner = [p + 1 for p in patches]
    if channel > first:
        order = [*range(first), *patches, *inner, first + 2 * spatial]
    else:
        order = [*range(channel), *inner, channel, *patches]
    counts = [shape_of(x)[p] for p in patches]
    channels = product(window) * sizes[channel]
    before = sizes[: min(first, channel)]
    x = transpose(x, order)
    return reshape(
        x, (*before, *counts, channels) if channel > first else (*before, channels, *counts)
    )


def _windows(x: Any, axis: int, window: int, stride: int, dilation: int, padding: str) -> Tensor:
    """Splits an axis into two: the index of the patch, and the index in the patch."""
    size = shape_of(x)[axis]
    reach = (window - 1) * dilation + 1
    if isinstance(size, int):
        if standardize_padding(padding) == "same":
            before, after = same_padding(size, window, stride, dilation)
            size = before + size + after
            x = pad_axis(x, axis, before, size, 0)
        starts: Any = np.arange((size - reach) // stride + 1, dtype="int32")[:, None] * stride
        return take(x, starts + np.arange(window, dtype="int32") * dilation, axis=axis)
    if standardize_padding(padding) == "same":
        total = maximum(((size + stride - 1) // stride - 1) * stride + reach, size)
        x, size = pad_axis(x, axis, (total - size) // 2, total, 0), total
    starts = reshape(arange((size - reach) // stride + 1) * stride, (-1, 1))
    return take(x, starts + arange(window) * dilation, axis=axis)


def extract_patches_3d(
    volumes: TensorLike,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Extracts patches of volumes, each flattened into the channels.

    Args:
        volumes: Tensor of shape `(depth, height, width, channels)`, or with a batch axis first, or
            with the channels before the depth.
        size: Depth, height and width of a patch, or one number for all.
        strides: Distance between patches: an integer, or one for each axis; `size` by default.
        dilation_rate: Step between the voxels of a patch.
        padding: `"valid"`, or `"same"`, which pads with zeros to `ceil(size / stride)` patches.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the dtype of `volumes`, whose sizes count the patches and whose channels are the
        `depth * height * width * channels` elements of a patch, in this order.

    Raises:
        ValueError: The arguments do not match, or the patch does not fit the volumes.

    Example:
        >>> x = ones((1, 4, 4, 4, 2))
        >>> y = ops.image.extract_patches_3d(x, 2, data_format="channels_last")
        >>> y.shape == (1, 2, 2, 2, 16)
        True
    """
    size = (size,) * 3 if isinstance(size, int) else tuple(size)
    if len(size) != 3:
        raise SpecError(
            "ops.image.extract_patches_3d",
            expected="a size for three axes",
            received=f"size={size}",
            fix="check size=",
        )
    return extract_patches(volumes, size, strides, dilation_rate, padding, data_format)
