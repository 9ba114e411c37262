"""Random rectangles in images."""

from __future__ import annotations

from typing import Any

from keras_fn.layers.preprocessing.image._pixels import along, for_each_image
from keras_fn.ops._op import op
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
    height, width = fractions
    top, left = (uniform((sizes[0],), dtype="float32", seed=seed) for _ in axes)
    return patch_masks(height, width, top, left, sizes[1:], axes)


@op
def patch_masks(
    heights: Tensor, widths: Tensor, tops: Tensor, lefts: Tensor, size: Any, axes: Any
) -> Tensor:
    """Returns masks of rectangles.

    Args:
        heights: Their heights, as fractions of the height of the images, of shape `(batch,)`.
        widths: Their widths.
        tops: The rows above them, as fractions of those outside of them.
        lefts: The columns to the left.
        size: The height and the width of the images.
        axes: The axes of height and width, counted from the end.
    """
    mask: Any = None
    for count, fraction, start, axis in zip(
        size, (heights, widths), (tops, lefts), axes, strict=True
    ):
        total = cast(count, "float32")
        length = for_each_image(multiply(fraction, total))
        start = multiply(for_each_image(start), subtract(total, length))
        position = along(axis, arange(count, dtype="float32"))
        inside = logical_and(greater_equal(position, start), less(position, add(start, length)))
        mask = inside if mask is None else logical_and(mask, inside)
    return mask
