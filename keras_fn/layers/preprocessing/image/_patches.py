"""Random rectangles in images."""

from __future__ import annotations

from typing import Any

from keras_fn.layers.preprocessing.image._pixels import along, for_each_image
from keras_fn.ops.arithmetic import add, multiply, subtract
from keras_fn.ops.core import cast
from keras_fn.ops.creation import arange
from keras_fn.ops.logic import greater_equal, less, logical_and
from keras_fn.random import uniform
from keras_fn.types import Tensor


def draw_patches(sizes: Any, fractions: Any, axes: tuple[int, int], seed: Any) -> Tensor:
    """Draws a rectangle in each image, at a random position inside of it.

    Args:
        sizes: The numbers of images, rows and columns.
        fractions: The height and the width of each rectangle as fractions of the image's, two
            tensors of shape `(batch,)`.
        axes: The axes of height and width, counted from the end.
        seed: The seed of the draws.

    Returns:
        A mask of the pixels inside, of the shape of the images, with one channel.
    """
    mask: Any = None
    for size, fraction, axis in zip(sizes[1:], fractions, axes, strict=True):
        total = cast(size, "float32")
        length = multiply(fraction, total)
        start = uniform((sizes[0],), dtype="float32", seed=seed)
        start = multiply(start, subtract(total, length))
        position = along(axis, arange(size, dtype="float32"))
        inside = logical_and(
            greater_equal(position, for_each_image(start)),
            less(position, for_each_image(add(start, length))),
        )
        mask = inside if mask is None else logical_and(mask, inside)
    return mask
