"""Random perspective transform of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import fraction
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import BaseAffineTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    draw_choices,
    factor_range,
)
from keras_fn.ops.core import cast
from keras_fn.ops.image.geometric_transforms import homography
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import where
from keras_fn.ops.manipulation import reshape
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


class RandomPerspective(BaseAffineTransform):
    """Random perspective transform (homography): in training, moves the corners of images.

    Args:
        factor: The limits of the probability with which an image is transformed, which is drawn
            for each image: one number `p` for `(0, p)`, or two, from 0 to 1.
        scale: How far a corner moves at most: the fraction of its distance from the left (and from
            the top) by which it moves is drawn from `(-scale / 2, scale / 2)`.
        interpolation: `"nearest"` or `"bilinear"`. Masks are always sampled by the former.
        fill_value: The value of pixels outside of the image.
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
        ValueError: An argument is not one of these values.

    Example:
        >>> layer = keras.layers.RandomPerspective(scale=0.3)
        >>> layer(np.ones((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True
    """

    _is_affine = False
    _not_in_config = frozenset({"fill_mode"})

    def __init__(
        self,
        factor: float | tuple[float, float] = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__("constant", interpolation, fill_value, data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self.scale = fraction(self, "scale", scale)
        self._set_seed(seed)

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns whom to transform, of shape `(batch,)`, and corners, of shape `(batch, 4, 2)`."""
        applies = draw_choices(batch, self.factor, seed)
        limit = 0.5 * self.scale
        moves = uniform((batch, 4, 2), -limit, limit, dtype="float32", seed=seed)
        y, x = (cast(size, "float32") - 1.0 for size in (height, width))
        corners = stack([x * 0.0, y * 0.0, x, y * 0.0, x * 0.0, y, x, y])
        start = reshape(corners, (1, 4, 2)) + moves * 0.0
        return {
            "apply_perspective": applies,
            "start_points": start,
            "end_points": start + start * moves,
        }

    def _matrix(self, transformation: Nested) -> Tensor:
        """Returns the transforms, of shape `(batch, 8)`, from pixels of the result to the image."""
        start, end = transformation["start_points"], transformation["end_points"]
        matrix = homography(cast(start, "float32"), cast(end, "float32"))
        identity = stack([matrix[:, 0] * 0.0 + n for n in _IDENTITY], axis=1)
        return where(reshape(transformation["apply_perspective"], (-1, 1)), matrix, identity)
