"""Random inversion of colors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import invert
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    draw_choices,
    factor_range,
    value_limits,
)
from keras_fn.types import Nested, Tensor


class RandomInvert(BaseColorTransform):
    """Random inversion: in training, mirrors the pixels of some images in the middle of the range.

    Args:
        factor: The probability that an image is inverted, drawn for each image: a pair of limits
            from 0 to 1, or a number `f` for `(0, f)`.
        value_range: The least and the greatest value of a pixel.
        seed: An integer, for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: `factor` is out of bounds, or `value_range` is not one.

    Example:
        >>> layer = keras.layers.RandomInvert((1.0, 1.0), value_range=(-1, 1))
        >>> convert_to_numpy(layer(np.array([[[0.25], [-1.0]]], "float32"))).ravel().tolist()
        [-0.25, 1.0]
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"apply_inversion"`: booleans of shape `(batch,)`."""
        return {"apply_inversion": draw_choices(batch, self.factor, seed)}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return invert(images, transformation["apply_inversion"], self.value_range)
