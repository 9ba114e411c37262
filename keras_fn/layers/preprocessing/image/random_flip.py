"""Random flips of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import one_of
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import BaseGeometricTransform
from keras_fn.ops.core import cast
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import less, where
from keras_fn.ops.rearranging import flip
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor

_AXES = {"horizontal": (1,), "vertical": (0,), "horizontal_and_vertical": (1, 0)}


class RandomFlip(BaseGeometricTransform):
    """Random reflection of images: in training, each is flipped along an axis with probability 1/2.

    Args:
        mode: `"horizontal"` (left to right), `"vertical"` (top to bottom), or
            `"horizontal_and_vertical"` (both, independently of each other).
        seed: An integer, for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, the format of bounding boxes, such as `"xyxy"`, and the
            arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: `mode`, `data_format` or `bounding_box_format` is not one of these values.

    Example:
        >>> image = np.array([[[1.0], [2.0]]], "float32")
        >>> layer = keras.layers.RandomFlip("horizontal", data_format="channels_last")
        >>> layer(image).shape == (1, 2, 1)
        True
        >>> convert_to_numpy(layer(image, training=False)).ravel().tolist()
        [1.0, 2.0]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.mode = one_of(self, "mode", mode, tuple(_AXES))
        self._set_seed(seed)

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns who is flipped, of shape `(batch, 1, 1, 1)`; in both ways, for each of them."""
        both = self.mode == "horizontal_and_vertical"
        draws = less(uniform((batch, 1, 1, 2 if both else 1), seed=seed), 0.5)
        if both:
            return {"flips": draws[..., :1], "vertical_flips": draws[..., 1:]}
        return {"flips": draws}

    def _flips(self, transformation: Nested) -> list[tuple[int, Any]]:
        """Returns pairs of an axis, 0 for the height and 1 for the width, and who is flipped."""
        flips = transformation["flips"]
        vertical = transformation.get("vertical_flips", flips)
        both = self.mode == "horizontal_and_vertical"
        return [(axis, vertical if both and axis == 0 else flips) for axis in _AXES[self.mode]]

    def transform_images(
        self, images: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Returns the images, in training flipped, in the compute dtype.

        Args:
            images: The images, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to flip.
        """
        if self._applies(transformation, training):
            images = self._warp(images, transformation, "nearest")  # of bytes: before the cast
        return cast(images, self.compute_dtype)

    def _warp(self, images: Tensor, transformation: Nested, interpolation: str) -> Tensor:
        """Returns the pixels of the flipped images, in their dtype."""
        for axis, flips in self._flips(transformation):
            images = where(flips, flip(images, axis=self._axes[axis]), images)
        return images

    def _move_boxes(self, boxes: Tensor, transformation: Nested) -> Tensor:
        """Returns the flipped boxes."""
        size = self._input_size(transformation)
        corners = [boxes[..., i] for i in range(4)]
        for axis, flips in self._flips(transformation):
            is_flipped, n, i = flips[..., 0, 0], cast(size[axis], boxes.dtype), 1 - axis
            near, far = corners[i], corners[i + 2]
            corners[i], corners[i + 2] = (
                where(is_flipped, n - far, near),
                where(is_flipped, n - near, far),
            )
        return stack(corners, axis=-1)
