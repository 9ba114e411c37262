"""Interpolation kernels, and the weight matrices of resampling along an axis.

The formulas take a module `xp` with NumPy's names: NumPy for static sizes, so that weights are
computed once; `keras_fn.ops` where sizes are tensors.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np


def triangle(x: Any, xp: Any = np) -> Any:
    """Triangle kernel of linear interpolation."""
    return xp.maximum(1.0 - x, 0.0)


def cubic(x: Any, xp: Any = np) -> Any:
    """Cubic convolution kernel with a = -1/2.

    References:
        Keys, "Cubic convolution interpolation for digital image processing", 1981.
    """
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return xp.where(x < 1.0, near, xp.where(x < 2.0, far, 0.0))


def lanczos(radius: int) -> Callable[..., Any]:
    """Returns a Lanczos kernel: a sinc with a sinc window."""

    def kernel(x: Any, xp: Any = np) -> Any:
        is_nonzero = x > 1e-3  # at 0 the quotient is 0 / 0
        y = xp.where(is_nonzero, x, 1.0) * np.pi
        return xp.where(
            x > radius,
            0.0,
            xp.where(is_nonzero, radius * xp.sin(y) * xp.sin(y / radius) / (y * y), 1.0),
        )

    return kernel


KERNELS: dict[str, tuple[Callable[..., Any], int]] = {
    "bilinear": (triangle, 1),
    "bicubic": (cubic, 2),
    "lanczos3": (lanczos(3), 3),
    "lanczos5": (lanczos(5), 5),
}
"""The kernel as a function of the distance, and its radius."""


def gaussian(x: Any, xp: Any = np) -> Any:
    """Gaussian kernel of standard deviation 1/2, cut at three of them."""
    return xp.where(x < 1.5, xp.exp(-2.0 * x * x), 0.0)


def mitchell(x: Any, xp: Any = np) -> Any:
    """Cubic kernel with B = C = 1/3.

    References:
        Mitchell and Netravali, "Reconstruction filters in computer graphics", 1988.
    """
    near = (7.0 / 6.0 * x - 2.0) * x * x + 8.0 / 9.0
    far = ((-7.0 / 18.0 * x + 2.0) * x - 10.0 / 3.0) * x + 16.0 / 9.0
    return xp.where(x < 1.0, near, xp.where(x < 2.0, far, 0.0))


HOST_KERNELS = {
    **KERNELS,
    "gaussian": (gaussian, 1.5),
    "mitchellcubic": (mitchell, 2),
}
"""The kernels with which images are resized while they are loaded."""


def weights(
    xp: Any, outputs: Any, inputs: Any, scale: Any, translation: Any, method: str, antialias: bool
) -> Any:
    """Returns the weight matrix of resampling along an axis: inputs in rows, outputs in columns.

    Args:
        xp: NumPy, or a module with its names.
        outputs: Indices of the output elements, as floats.
        inputs: Indices of the input elements, as floats.
        scale: Ratio of output to input size.
        translation: Offset of the first input element, in output elements.
        method: A name in `HOST_KERNELS`.
        antialias: Whether to widen the kernel when downsampling.
    """
    width = 1.0 / scale
    samples = (outputs + 0.5 - translation) * width - 0.5
    distance = xp.abs(samples[None, :] - inputs[:, None])
    if antialias:
        distance = distance / xp.maximum(width, 1.0)
    kernel = HOST_KERNELS[method][0](distance, xp)
    total = xp.sum(kernel, axis=0, keepdims=True)
    is_normal = xp.abs(total) > 1000 * float(np.finfo("float32").eps)
    kernel = xp.where(is_normal, kernel / xp.where(is_normal, total, 1.0), 0.0)
    inside = xp.logical_and(samples >= -0.5, samples <= inputs[-1] + 0.5)
    return xp.where(inside, kernel, 0.0)


@lru_cache(maxsize=256)
def resize_weights(size: int, target: int, method: str, antialias: bool, dtype: str) -> np.ndarray:
    """Returns the weight matrix that resizes `size` elements to `target`."""
    outputs, inputs = np.arange(target, dtype="float64"), np.arange(size, dtype="float64")
    return weights(np, outputs, inputs, target / size, 0.0, method, antialias).astype(dtype)
