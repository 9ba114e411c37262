"""Weights of the elements of an axis for places between them.

The formulas are written for any module that names functions as NumPy does: NumPy itself, where
sizes are known, so that weights are worked out once; `keras_fn.ops` where they are tensors.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np


def triangle(x: Any, xp: Any = np) -> Any:
    """Linear interpolation."""
    return xp.maximum(1.0 - x, 0.0)


def cubic(x: Any, xp: Any = np) -> Any:
    """Keys, "Cubic convolution interpolation for digital image processing", 1981; a = -1/2."""
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return xp.where(x < 1.0, near, xp.where(x < 2.0, far, 0.0))


def lanczos(radius: int) -> Callable[..., Any]:
    """A sinc in the window of a wider one."""

    def kernel(x: Any, xp: Any = np) -> Any:
        apart = x > 1e-3  # the quotient would be 0 / 0
        y = xp.where(apart, x, 1.0) * np.pi
        return xp.where(
            x > radius, 0.0, xp.where(apart, radius * xp.sin(y) * xp.sin(y / radius) / (y * y), 1.0)
        )

    return kernel


KERNELS: dict[str, tuple[Callable[..., Any], int]] = {
    "bilinear": (triangle, 1),
    "bicubic": (cubic, 2),
    "lanczos3": (lanczos(3), 3),
    "lanczos5": (lanczos(5), 5),
}
"""The weight by distance, and how far it reaches."""


def weights(
    xp: Any, places: Any, nodes: Any, scale: Any, translation: Any, method: str, antialias: bool
) -> Any:
    """Returns the weight of each element (rows) for each place (columns).

    Args:
        xp: NumPy, or a module like it.
        places: Numbers of the places, as floats.
        nodes: Numbers of the elements, as floats.
        scale: How many places an element stretches over.
        translation: Where the axis begins, in places.
        method: A name in `KERNELS`.
        antialias: Whether the kernel is as wide as a place where places are wider than elements.
    """
    width = 1.0 / scale
    samples = (places + 0.5 - translation) * width - 0.5
    distance = xp.abs(samples[None, :] - nodes[:, None])
    if antialias:
        distance = distance / xp.maximum(width, 1.0)
    kernel = KERNELS[method][0](distance, xp)
    total = xp.sum(kernel, axis=0, keepdims=True)
    solid = xp.abs(total) > 1000 * float(np.finfo("float32").eps)
    kernel = xp.where(solid, kernel / xp.where(solid, total, 1.0), 0.0)
    inside = xp.logical_and(samples >= -0.5, samples <= nodes[-1] + 0.5)
    return xp.where(inside, kernel, 0.0)


@lru_cache(maxsize=256)
def resize_weights(size: int, target: int, method: str, antialias: bool, dtype: str) -> np.ndarray:
    """Returns the weights with which `size` elements become `target`."""
    places, nodes = np.arange(target, dtype="float64"), np.arange(size, dtype="float64")
    return weights(np, places, nodes, target / size, 0.0, method, antialias).astype(dtype)
