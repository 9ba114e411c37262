"""Color spaces."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import op
from keras_fn.ops.arithmetic import absolute, clip, maximum, minimum, mod
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.image._data_format import axes_of
from keras_fn.ops.joining_splitting import stack, unstack
from keras_fn.ops.linalg.products import tensordot
from keras_fn.ops.logic import equal, greater, less, where
from keras_fn.ops.manipulation import expand_dims
from keras_fn.types import Tensor, TensorLike


def _channels(images: Any, axis: int, allowed: tuple[int, ...], source: str) -> None:
    if images.shape[axis] not in (*allowed, None):
        raise SpecError(
            source,
            expected=f"images of {' or '.join(map(str, allowed))} channels",
            received=f"{images.shape[axis]} (shape {tuple(images.shape)})",
            fix="check the images, and data_format",
        )


@op
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Converts RGB images to grayscale: `0.2989 * red + 0.587 * green + 0.114 * blue`.

    Args:
        images: Tensor of shape `(height, width, 3)` or `(batch, height, width, 3)`, or with the
            channels before the height. Images of one channel are returned unchanged.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the dtype of `images`, with one channel. Integers are rounded down.

    Raises:
        ValueError: The rank or the number of channels is wrong.

    Example:
        >>> print(convert_to_numpy(rgb_to_grayscale([[[1.0, 0.0, 0.0]]], "channels_last")))
        [[[0.2989]]]

    References:
        ITU-R BT.601: the weights.
    """
    source = "ops.image.rgb_to_grayscale"
    axis = axes_of(images, data_format, source)[2]
    _channels(images, axis, (1, 3), source)
    if shape_of(images)[axis] == 1:
        return cast(images, dtype_of(images))
    dtype = dtypes.result_type(dtype_of(images))
    wide = cast(images, dtypes.float_type(dtype))
    weights = cast([0.2989, 0.587, 0.114], wide.dtype)
    return cast(expand_dims(tensordot(wide, weights, [[axis], [0]]), axis), dtype)


def _planes(images: Any, data_format: str | None, source: str) -> tuple[list[Tensor], int]:
    """Returns the three channels, and their axis."""
    axis = axes_of(images, data_format, source)[2]
    _channels(images, axis, (3,), source)
    dtype = dtypes.result_type(images.dtype)
    if not dtypes.is_float(dtype):
        raise DTypeError(
            source,
            expected="images of floats",
            received=dtype,
            fix="cast them, and divide by 255 if they are bytes",
        )
    return unstack(images, 3, axis), axis


@op
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Converts RGB images to HSV: hue, saturation and value, all from 0 to 1.

    Args:
        images: Floats from 0 to 1, of shape `(height, width, 3)` or `(batch, height, width, 3)`, or
            with the channels before the height.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the shape and dtype of `images`.

    Raises:
        ValueError: The rank or the number of channels is wrong.
        TypeError: The images are not floats.

    Example:
        >>> convert_to_numpy(rgb_to_hsv([[[1.0, 0.0, 0.0]]], "channels_last")).tolist()
        [[[0.0, 1.0, 1.0]]]

    References:
        Smith, "Color gamut transform pairs", 1978.
    """
    planes, axis = _planes(images, data_format, "ops.image.rgb_to_hsv")
    dtype = dtypes.result_type(dtype_of(images))
    eps = dtypes.machine_epsilon(dtype)
    red, green, blue = (where(less(absolute(x), eps), 0.0, x) for x in planes)
    value = maximum(maximum(red, green), blue)
    width = value - minimum(minimum(red, green), blue)
    saturation = where(greater(value, 0.0), width / where(greater(value, 0.0), value, 1.0), 0.0)
    sixth = 1.0 / (6.0 * where(greater(width, 0.0), width, 1.0))
    hue = where(
        equal(value, red),
        sixth * (green - blue),
        where(
            equal(value, green),
            sixth * (blue - red) + 2.0 / 6.0,
            sixth * (red - green) + 4.0 / 6.0,
        ),
    )
    hue = where(greater(width, 0.0), where(less(hue, 0.0), hue + 1.0, hue), 0.0)
    return stack([hue, saturation, value], axis)


@op
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Converts HSV images to RGB: the inverse of `rgb_to_hsv`.

    Args:
        images: Floats of shape `(height, width, 3)` or `(batch, height, width, 3)`, or with the
            channels before the height: hue, saturation, value, from 0 to 1. Hues wrap around.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the shape and dtype of `images`.

    Raises:
        ValueError: The rank or the number of channels is wrong.
        TypeError: The images are not floats.

    Example:
        >>> convert_to_numpy(hsv_to_rgb([[[0.5, 1.0, 1.0]]], "channels_last")).tolist()
        [[[0.0, 1.0, 1.0]]]

    References:
        Smith, "Color gamut transform pairs", 1978.
    """
    (hue, saturation, value), axis = _planes(images, data_format, "ops.image.hsv_to_rgb")
    turn = mod(hue, 1.0) * 6.0
    shares = (
        clip(absolute(turn - 3.0) - 1.0, 0.0, 1.0),
        clip(2.0 - absolute(turn - 2.0), 0.0, 1.0),
        clip(2.0 - absolute(turn - 4.0), 0.0, 1.0),
    )
    return stack([value * (1.0 - saturation + saturation * share) for share in shares], axis)
