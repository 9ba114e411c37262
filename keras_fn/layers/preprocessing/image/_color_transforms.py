"""Color transforms of batches of images, by numbers that are given for each image.

All take floats of shape `(batch, height, width, channels)`, or with the channels at axis -3, and
return the same shape and dtype. `tests/layers/preprocessing/image` compares each with NumPy.
"""

from __future__ import annotations

from typing import Any

from keras_fn.layers.preprocessing.image._pixels import (
    BYTES,
    Range,
    for_each_image,
    interior,
    pad_by_reflection,
    spatial_axes,
    to_bytes,
)
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    transform_value_range,
)
from keras_fn.ops._op import op
from keras_fn.ops._rules import like
from keras_fn.ops.arithmetic import add, clip, divide, minimum, multiply, subtract
from keras_fn.ops.bitwise import bitwise_and
from keras_fn.ops.core import cast
from keras_fn.ops.creation import arange, zeros_like
from keras_fn.ops.image.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import concatenate, split
from keras_fn.ops.logic import greater, less, logical_and, where
from keras_fn.ops.manipulation import pad, reshape
from keras_fn.ops.math import exp
from keras_fn.ops.reductions import max as max_, mean, min as min_, sum as sum_
from keras_fn.types import Tensor


def _format(channel_axis: int) -> str:
    return "channels_last" if channel_axis == -1 else "channels_first"


@op(rule=like)
def adjust_brightness(images: Tensor, delta: Tensor, value_range: Any) -> Tensor:
    """Adds `delta` to the pixels of each image, and clips them to the range."""
    return clip(add(images, for_each_image(delta, images.dtype)), *value_range)


@op(rule=like)
def adjust_contrast(images: Tensor, factor: Tensor, value_range: Any, channel_axis: int) -> Tensor:
    """Multiplies the distance of the pixels from the mean of their channel, and clips them."""
    center = mean(images, axis=spatial_axes(channel_axis), keepdims=True)
    distance = multiply(subtract(images, center), for_each_image(factor, images.dtype))
    return clip(add(distance, center), *value_range)


@op(rule=like)
def adjust_hue(images: Tensor, delta: Tensor, value_range: Any, channel_axis: int) -> Tensor:
    """Rotates the hue of RGB images by `delta` turns. A gray image, of one channel, has none."""
    if images.shape[channel_axis] == 1:
        return images
    images_format = _format(channel_axis)
    hsv = rgb_to_hsv(transform_value_range(images, value_range, (0, 1)), images_format)
    hue, saturation, value = split(hsv, 3, axis=channel_axis)
    hue = add(hue, for_each_image(delta, images.dtype))
    rgb = hsv_to_rgb(concatenate([hue, saturation, value], axis=channel_axis), images_format)
    return transform_value_range(clip(rgb, 0, 1), (0, 1), value_range)


@op(rule=like)
def adjust_saturation(
    images: Tensor, factor: Tensor, value_range: Any, channel_axis: int
) -> Tensor:
    """Multiplies the saturation of RGB images, at most up to 1: hue and value stay as they are."""
    x = subtract(images, value_range[0])
    value = max_(x, axis=channel_axis, keepdims=True)
    chroma = subtract(value, min_(x, axis=channel_axis, keepdims=True))
    # The saturation is chroma / value, and the distance from the value is proportional to it.
    is_colored = greater(chroma, 0.0)
    limit = divide(value, where(is_colored, chroma, 1.0))
    ratio = minimum(for_each_image(factor, images.dtype), where(is_colored, limit, 1.0))
    return add(subtract(value, multiply(subtract(value, x), ratio)), value_range[0])


@op(rule=like)
def blend_with_grayscale(
    images: Tensor, factor: Tensor, value_range: Any, channel_axis: int
) -> Tensor:
    """Moves RGB images towards their grayscale: by 0 not at all, by 1 completely."""
    gray = rgb_to_grayscale(images, _format(channel_axis))
    blend = add(images, multiply(subtract(gray, images), for_each_image(factor, images.dtype)))
    return clip(blend, *value_range)


@op(rule=like)
def to_grayscale(images: Tensor, choices: Tensor, channel_axis: int) -> Tensor:
    """Makes those images gray that are chosen."""
    gray = rgb_to_grayscale(images, _format(channel_axis))
    return where(for_each_image(choices), gray, images)


@op(rule=like)
def invert(images: Tensor, choices: Tensor, value_range: Any) -> Tensor:
    """Mirrors the pixels of those images that are chosen in the middle of the range."""
    inverse = subtract(value_range[0] + value_range[1], images)
    return where(for_each_image(choices), inverse, images)


@op(rule=like)
def adjust_sharpness(images: Tensor, factor: Tensor, value_range: Any, channel_axis: int) -> Tensor:
    """Blends images with their smoothed form: 0 is smooth, 1 the image, more is sharper.

    The smoothing filter is 1 around a center of 5, divided by 13. Pixels at the border stay.
    """
    sums = images
    for axis in spatial_axes(channel_axis):
        widths = [(1, 1) if i - 4 == axis else (0, 0) for i in range(4)]
        padded = pad(sums, widths)
        before, after = _slice(padded, axis, 0, -2), _slice(padded, axis, 2, None)
        sums = add(add(before, sums), after)
    # The smoothed image is (sums + 4 * images) / 13.
    amount = divide(subtract(1.0, for_each_image(factor, images.dtype)), 13.0)
    change = multiply(subtract(sums, multiply(images, 9.0)), amount)
    # With an entry for each channel: a broadcast along the innermost axis is slow.
    inside = cast(interior(images, channel_axis), images.dtype)
    inside = add(inside, zeros_like(getitem(images, slice(0, 1))))
    change = multiply(change, inside)
    return clip(add(images, change), *value_range)


def _slice(x: Tensor, axis: int, start: int, stop: int | None) -> Tensor:
    key: list[Any] = [slice(None)] * 4
    key[axis] = slice(start, stop)
    return getitem(x, tuple(key))


@op(rule=like)
def posterize(images: Tensor, shift: Tensor, value_range: Any) -> Tensor:
    """Sets the lowest `shift` of the 8 bits of each pixel to 0."""
    kept = cast(256.0 - 2.0 ** cast(shift, images.dtype), "uint8")  # the bits that stay
    levels = bitwise_and(to_bytes(images, value_range), for_each_image(kept))
    return transform_value_range(cast(levels, images.dtype), BYTES, value_range)


@op(rule=like)
def solarize(images: Tensor, addition: Tensor, threshold: Tensor, value_range: Any) -> Tensor:
    """Adds to pixels, and inverts those that are at the threshold or above.

    Args:
        images: The images.
        addition: What to add to each image, where the range is 0 to 255.
        threshold: The threshold of each image, where the range is 0 to 255.
        value_range: The range of the values.
    """
    x = add(
        transform_value_range(images, value_range, BYTES), for_each_image(addition, images.dtype)
    )
    x = clip(x, *BYTES)
    x = where(less(x, for_each_image(threshold, images.dtype)), x, subtract(255.0, x))
    return transform_value_range(x, BYTES, value_range)


@op(rule=like)
def stretch_contrast(images: Tensor, value_range: Any, channel_axis: int) -> Tensor:
    """Maps the darkest and lightest pixel of each channel to the limits of the range, linearly."""
    axes = spatial_axes(channel_axis)
    low, high = min_(images, axis=axes, keepdims=True), max_(images, axis=axes, keepdims=True)
    width = subtract(high, low)
    is_flat = less(width, _tiny(value_range))
    scale = divide(value_range[1] - value_range[0], where(is_flat, 1.0, width))
    stretched = add(multiply(subtract(images, low), scale), value_range[0])
    return where(is_flat, images, clip(stretched, *value_range))


def _tiny(value_range: Range) -> float:
    """Returns a difference of pixels that is none: the quotient with it would not be finite."""
    return (value_range[1] - value_range[0]) * 1e-30


@op(rule=like)
def blur(images: Tensor, sigma: Tensor, kernel_size: Any, channel_axis: int) -> Tensor:
    """Convolves images with Gaussian kernels; images are reflected at the border.

    Args:
        images: The images.
        sigma: Deviations along the width and the height, `(2,)` or `(batch, 2)`, in pixels.
        kernel_size: Width and height of the kernel, odd.
        channel_axis: The axis of the channels.
    """
    height_axis, width_axis = spatial_axes(channel_axis)
    sigma = reshape(cast(sigma, images.dtype), (-1, 2))
    for i, axis in ((0, width_axis), (1, height_axis)):
        size = kernel_size[i]
        if size == 1:
            continue
        offsets = divide(subtract(arange(size, dtype=images.dtype), size // 2), sigma[:, i : i + 1])
        weights = exp(multiply(multiply(offsets, offsets), -0.5))
        weights = divide(weights, sum_(weights, axis=1, keepdims=True))
        padded = pad_by_reflection(images, axis, size // 2, size // 2, repeat=False)
        total = multiply(images, for_each_image(weights[:, size // 2]))
        for tap in range(size // 2):  # the kernel is symmetric
            before = _slice(padded, axis, tap, tap + 1 - size)
            after = _slice(padded, axis, size - 1 - tap, -tap or None)
            part = multiply(add(before, after), for_each_image(weights[:, tap]))
            total = add(total, part)
        images = total
    return images


@op(rule=like)
def blur_some(
    images: Tensor,
    choices: Tensor,
    sigma: Tensor,
    kernel_size: Any,
    value_range: Any,
    channel_axis: int,
) -> Tensor:
    """Blurs those images that are chosen, see `blur`; clips all of them to the range."""
    blurred = blur(images, sigma, kernel_size, channel_axis)
    return clip(where(for_each_image(choices), blurred, images), *value_range)


@op(rule=like)
def erase(images: Tensor, choices: Tensor, masks: Tensor, fill: Tensor) -> Tensor:
    """Replaces the pixels of a mask, in those images that are chosen."""
    is_erased = logical_and(masks, for_each_image(choices))
    return where(is_erased, cast(fill, images.dtype), images)
