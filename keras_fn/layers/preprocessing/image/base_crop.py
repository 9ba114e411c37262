"""The base class of layers that crop images to a size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.errors import missing_method
from keras_fn.layers._arguments import positive_int
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import BaseGeometricTransform
from keras_fn.ops.arithmetic import clip, maximum
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.image.resizing import resize, source_window
from keras_fn.ops.indexing import take
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import greater_equal, logical_and, where
from keras_fn.ops.slicing import slice as slice_block
from keras_fn.types import Nested, Tensor


class BaseCrop(BaseGeometricTransform):
    """Base class of layers that cut a window out of images, which has the size of the result.

    The window of images that are smaller than the result is the largest one of its aspect ratio,
    in the center; it is then resized. Subclasses define `_place(height, width, seed)`, the first
    row and column of a window that fits.

    Args:
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: As of the base class.
    """

    _runs_at_inference = True

    def __init__(
        self,
        height: int,
        width: int,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = positive_int(self, "height", height)
        self.width = positive_int(self, "width", width)

    def _place(self, height: Any, width: Any, seed: Any) -> tuple[Any, Any]:
        """Returns the first row and column of a window that fits. Subclasses define it."""
        raise missing_method(self, "_place(height, width, seed)")

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns the window: its first row and column, its height and width."""
        fallback = self._largest_window(height, width)
        if isinstance(height, int) and isinstance(width, int):
            if height < self.height or width < self.width:
                return fallback
            return self._window(*self._place(height, width, seed), self.height, self.width)
        fits = logical_and(greater_equal(height, self.height), greater_equal(width, self.width))
        # Where it does not fit, the place is not used, and must only be a number.
        place = self._place(maximum(height, self.height), maximum(width, self.width), seed)
        window = self._window(*place, self.height, self.width)
        return {
            name: where(fits, cast(value, "int32"), cast(fallback[name], "int32"))
            for name, value in window.items()
        }

    @staticmethod
    def _window(top: Any, left: Any, height: Any, width: Any) -> dict[str, Any]:
        return {"top": top, "left": left, "crop_height": height, "crop_width": width}

    def _largest_window(self, height: Any, width: Any) -> dict[str, Any]:
        """Returns the largest window of the aspect ratio of the result, in the center."""
        size = (self.height, self.width)
        (top, rows), (left, columns) = source_window((height, width), size, crop=True, pad=False)
        return self._window(top, left, rows, columns)

    def _output_size(self, transformation: Nested) -> tuple[Any, Any]:
        """Returns the height and width of the transformed images."""
        return self.height, self.width

    def _warp(self, images: Tensor, transformation: Nested, interpolation: str) -> Tensor:
        """Returns the pixels of the window, in their dtype, resized if it is smaller."""
        sizes = (transformation["crop_height"], transformation["crop_width"])
        starts = (transformation["top"], transformation["left"])
        images = _cut(images, self._axes[:2], starts, sizes)
        size = (self.height, self.width)
        if all(isinstance(n, int) for n in sizes) and sizes == size:
            return images
        return resize(images, size, interpolation, data_format=self.data_format)

    def _move_boxes(self, boxes: Tensor, transformation: Nested) -> Tensor:
        """Returns the boxes in the window, scaled with it."""
        corners = []
        for i in range(4):
            start, size, target = (
                (transformation["top"], transformation["crop_height"], self.height)
                if i % 2
                else (transformation["left"], transformation["crop_width"], self.width)
            )
            start, size = cast(start, boxes.dtype), cast(size, boxes.dtype)
            corners.append(clip(boxes[..., i] - start, 0.0, size) * (target / size))
        return stack(corners, axis=-1)


def _cut(images: Any, axes: Sequence[int], starts: Sequence[Any], sizes: Sequence[Any]) -> Tensor:
    """Returns a block along two axes: one slice, or gathers where a size is a tensor."""
    if not all(isinstance(size, int) for size in sizes):
        for axis, start, size in zip(axes, starts, sizes, strict=True):
            images = take(images, arange(size) + start, axis=axis)
        return images
    shape = list(shape_of(images))
    places: list[Any] = [0] * len(shape)
    for axis, start, size in zip(axes, starts, sizes, strict=True):
        places[axis], shape[axis] = start, size
    return slice_block(images, places, shape)
