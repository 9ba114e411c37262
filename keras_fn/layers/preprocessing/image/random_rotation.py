"""Random rotation of images."""

from __future__ import annotations

import math
from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import (
    BaseAffineTransform,
    affine_matrix,
)
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import factor_range
from keras_fn.ops._op import op
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.core import cast
from keras_fn.ops.trigonometric import cos, sin
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomRotation(BaseAffineTransform):
    """Random rotation: in training, turns each image about its center by a random angle.

    Args:
        factor: The limits of the angle as fractions of a full turn: one number `f` for `(-f, f)`,
            or two, from -1 to 1. Positive angles turn counterclockwise.
        fill_mode: Pixels outside of an image `a b c`: `"reflect"` (`b a | a b c | c b`), `"wrap"`
            (`b c | a b c | a b`), `"constant"` (`fill_value`) or `"nearest"` (`a a | a b c | c c`).
        interpolation: `"nearest"` or `"bilinear"`. Masks are always sampled by the former.
        seed: An integer, for reproducible draws.
        fill_value: The value outside where `fill_mode` is `"constant"`.
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
        ValueError: An argument is not one of these values.

    Example:
        >>> layer = keras.layers.RandomRotation(0.1)
        >>> layer(np.ones((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True
        >>> layer.factor
        (-0.1, 0.1)
    """

    def __init__(
        self,
        factor: float | tuple[float, float],
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(fill_mode, interpolation, fill_value, data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor)
        self._set_seed(seed)

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns the angles in degrees, of shape `(batch,)`, and the matrices."""
        low, high = (360.0 * f for f in self.factor)
        angle = uniform((batch,), low, high, dtype="float32", seed=seed)
        matrix = rotation_matrix(angle, height, width)
        sizes = {"image_height": height, "image_width": width, "batch_size": batch}
        return {"angle": angle, "rotation_matrix": matrix, **sizes}

    def _input_size(self, transformation: Nested) -> tuple[Any, Any]:
        """Returns the height and width of the images that a transformation was drawn for."""
        return transformation["image_height"], transformation["image_width"]

    def _matrix(self, transformation: Nested) -> Tensor:
        """Returns the transforms, of shape `(batch, 8)`, from pixels of the result to the image."""
        return transformation["rotation_matrix"]


@op
def rotation_matrix(angle: Tensor, height: Any, width: Any) -> Tensor:
    """Returns transforms of shape `(batch, 8)` that turn images about their centers.

    Args:
        angle: The angles in degrees, of shape `(batch,)`.
        height: Height of the images.
        width: Width of the images.
    """
    radians = multiply(angle, math.pi / 180.0)
    c, s = cos(radians), sin(radians)
    y, x = ((cast(size, "float32") - 1.0) / 2.0 for size in (height, width))
    return affine_matrix(c, -s, x - x * c + y * s, s, c, y - x * s - y * c)
