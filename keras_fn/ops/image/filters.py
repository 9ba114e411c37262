"""Image filters and similarity: Gaussian blur, Sobel edges, SSIM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import broadcast, number_type
from keras_fn.ops.arithmetic import divide
from keras_fn.ops.convolution import conv
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.image._data_format import axes_of, compute_dtype, to_pixels
from keras_fn.ops.joining_splitting import concatenate, split, stack
from keras_fn.ops.manipulation import moveaxis, pad, reshape
from keras_fn.ops.math import exp
from keras_fn.ops.reductions import mean, sum as sum_
from keras_fn.types import ArrayLike, Tensor, TensorLike


def _gaussian(size: int, sigma: Any, dtype: str) -> Any:
    """Returns a Gaussian kernel of `size` elements, with the sum 1."""
    if isinstance(sigma, (int, float)):
        x = np.arange(size) - (size - 1) / 2
        kernel = np.exp(-0.5 * (x / sigma) ** 2)
        return (kernel / kernel.sum()).astype(dtype)
    x = divide(arange(size, dtype=dtype) - (size - 1) / 2, cast(sigma, dtype))
    kernel = exp(-0.5 * x * x)
    return divide(kernel, sum_(kernel))


def _convolve_separable(planes: Tensor, rows: Any, columns: Any, padding: str) -> Tensor:
    """Filters planes of shape `(n, height, width, 1)` along both axes."""
    for kernel, shape in ((rows, (-1, 1, 1, 1)), (columns, (1, -1, 1, 1))):
        window = reshape(cast(kernel, planes.dtype), shape)
        planes = conv(planes, window, 1, padding, "channels_last")
    return planes


def _check_blur(images: Any, kernel_size: Any, sigma: Any, data_format: str | None) -> int:
    """Returns the axis of the channels."""
    source = "ops.image.gaussian_blur"
    axis = axes_of(images, data_format, source)[2]
    if len(kernel_size) != 2 or min(kernel_size) < 1:
        raise SpecError(
            source,
            expected="a kernel_size of two numbers, 1 or more",
            received=f"{kernel_size}",
            fix="pass the width and the height",
        )
    numbers = isinstance(sigma, (tuple, list))
    shape = (len(sigma),) if numbers else getattr(sigma, "shape", ())
    if tuple(shape) not in ((2,), (None,)) or (
        numbers and any(isinstance(s, (int, float)) and s <= 0 for s in sigma)
    ):
        raise SpecError(
            source,
            expected="two numbers greater than 0 as sigma",
            received=f"{sigma}",
            fix="pass the deviations along the width and the height",
        )
    return axis


def _blur(
    images: TensorSpec,
    kernel_size: Sequence[int] = (3, 3),
    sigma: ArrayLike = (1.0, 1.0),
    data_format: str | None = None,
) -> TensorSpec:
    _check_blur(images, kernel_size, sigma, data_format)
    return TensorSpec(images.shape, dtypes.result_type(images.dtype))


@op(rule=Rule(_blur))
def gaussian_blur(
    images: TensorLike,
    kernel_size: Sequence[int] = (3, 3),
    sigma: ArrayLike = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Gaussian blur: convolves images with a Gaussian kernel.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height. Images are padded with zeros.
        kernel_size: Width and height of the kernel.
        sigma: Standard deviations along the width and the height: two numbers, or a tensor.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    Raises:
        ValueError: The rank is wrong, or there are not two sizes and two deviations.

    Example:
        >>> x = ones((1, 5, 5, 1))
        >>> y = ops.image.gaussian_blur(x, data_format="channels_last")
        >>> print(f"{float(y[0, 2, 2, 0]):.3f}")
        1.000
    """
    axis = _check_blur(images, kernel_size, sigma, data_format)
    dtype = dtypes.result_type(dtype_of(images))
    x = moveaxis(cast(images, compute_dtype(dtype)), axis, -3)
    shape = shape_of(x)
    planes = reshape(x, (-1, *shape[-2:], 1))
    sigmas: Any = sigma
    columns, rows = (_gaussian(kernel_size[i], sigmas[i], compute_dtype(dtype)) for i in (0, 1))
    blurred = reshape(_convolve_separable(planes, rows, columns, "same"), shape)
    return to_pixels(moveaxis(blurred, -3, axis), dtype)


def _check_sobel(images: Any, data_format: str | None) -> tuple[int, int]:
    source = "ops.image.sobel_edges"
    height, width, _ = axes_of(images, data_format, source)
    if len(images.shape) != 4:
        raise SpecError(
            source,
            expected="a batch of images (rank 4)",
            received=f"shape {tuple(images.shape)}",
            fix="add an axis for the batch",
        )
    return height, width


@op
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Sobel operator: gradient of the brightness along the height and the width.

    Args:
        images: Tensor of shape `(batch, height, width, channels)` or
            `(batch, channels, height, width)`. Images are padded with zeros.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the dtype of `images`, of their shape with an additional last axis of size 2:
        the gradients along the height and along the width.

    Raises:
        ValueError: `images` is not of rank 4.

    Example:
        >>> x = np.zeros((1, 3, 3, 1))
        >>> x[:, :, 1:] = 1.0
        >>> y = ops.image.sobel_edges(x, data_format="channels_last")
        >>> convert_to_numpy(y)[0, 1, 1, 0].tolist()
        [0.0, 4.0]

    References:
        Sobel and Feldman, "A 3x3 isotropic gradient operator for image processing", 1968.
    """
    height, width = _check_sobel(images, data_format)
    widths = [(0, 0)] * 4
    widths[height] = widths[width] = (1, 1)
    x = pad(cast(images, number_type(dtype_of(images))), widths)

    def part(x: Tensor, axis: int, start: int, stop: int | None) -> Tensor:
        return x[(..., slice(start, stop), *[slice(None)] * (-axis - 1))]

    def smooth(axis: int) -> Tensor:
        return part(x, axis, 0, -2) + 2 * part(x, axis, 1, -1) + part(x, axis, 2, None)

    def slope(x: Tensor, axis: int) -> Tensor:
        return part(x, axis, 2, None) - part(x, axis, 0, -2)

    return stack([slope(smooth(width), height), slope(smooth(height), width)], -1)


def _check_ssim(one: Any, other: Any, filter_size: int, data_format: str | None) -> int:
    """Returns the axis of the channels."""
    source = "ops.image.ssim"
    height, width, axis = axes_of(one, data_format, source)
    axes_of(other, data_format, source)
    if not is_compatible(one.shape, other.shape):
        raise SpecError(
            source,
            expected="images of one shape",
            fix="resize one of them",
            received=f"shapes {tuple(one.shape)} and {tuple(other.shape)}",
        )
    sizes = [n for n in (one.shape[height], one.shape[width]) if isinstance(n, int)]
    if filter_size < 1 or any(n < filter_size for n in sizes):
        raise SpecError(
            source,
            expected="a filter_size that fits the images",
            received=f"{filter_size} for shape {tuple(one.shape)}",
            fix="make it smaller",
        )
    return axis


def _ssim(
    image1: TensorSpec,
    image2: TensorSpec,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> TensorSpec:
    _check_ssim(image1, image2, filter_size, data_format)
    batch = broadcast(image1.shape, image2.shape)[:-3]
    return TensorSpec(batch, dtypes.float_type(image1.dtype, image2.dtype))


@op(rule=Rule(_ssim, promote=dtypes.float_type))
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Structural similarity index (SSIM) of two images, from -1 to 1; 1 if they are equal.

    It is the mean over all windows of
    `(2 m1 m2 + c1) (2 s12 + c2) / ((m1**2 + m2**2 + c1) (s1**2 + s2**2 + c2))`, where m, s and s12
    are the means, deviations and covariance of the pixels of a window, weighted by a Gaussian
    kernel, and `c = (k * max_val)**2`.

    Args:
        image1: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height.
        image2: Tensor of the same shape.
        max_val: Range of the pixels: 1 or 255.
        filter_size: Height and width of a window.
        filter_sigma: Standard deviation of the Gaussian kernel.
        k1: Stabilizes the quotient where means are small.
        k2: Stabilizes the quotient where deviations are small.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A float tensor of shape `(batch,)`, or a scalar for single images.

    Raises:
        ValueError: The shapes differ, or a window does not fit.

    Example:
        >>> x = np.linspace(0.0, 1.0, 12 * 12).reshape(12, 12, 1)
        >>> print(f"{float(ops.image.ssim(x, x, data_format='channels_last')):.3f}")
        1.000

    References:
        Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
        structural similarity", 2004.
    """
    axis = _check_ssim(image1, image2, filter_size, data_format)
    dtype = dtypes.result_type(dtype_of(image1))
    wide = compute_dtype(dtype)
    x, y = (moveaxis(cast(image, wide), axis, -3) for image in (image1, image2))
    *outer, height, width = shape_of(x)
    x, y = (reshape(image, (-1, height, width, 1)) for image in (x, y))
    kernel = _gaussian(filter_size, filter_sigma, wide)
    maps = concatenate([x, y, x * x, y * y, x * y], 0)
    x, y, xx, yy, xy = split(_convolve_separable(maps, kernel, kernel, "valid"), 5)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    similarity = (2.0 * x * y + c1) * (2.0 * (xy - x * y) + c2)
    similarity = similarity / ((x * x + y * y + c1) * (xx - x * x + yy - y * y + c2))
    planes = reshape(mean(similarity, (1, 2, 3)), outer)
    return cast(mean(planes, -1), dtype)
