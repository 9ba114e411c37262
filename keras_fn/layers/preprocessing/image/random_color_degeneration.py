"""Random loss of color."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import blend_with_grayscale
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform, unit_range
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    value_limits,
)
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomColorDegeneration(BaseColorTransform):
    """Random color degeneration: in training, moves each RGB image towards its grayscale.

    Args:
        factor: How far, drawn for each image: a pair of limits from 0 (not at all) to 1 (to gray),
            or a number `f` for `(0, f)`.
        value_range: The least and the greatest value of a pixel.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        seed: An integer, for reproducible draws.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, 3)` or `(batch, height, width, 3)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks. Gray images, of one channel, stay as they are.

    Output shape:
        The same.

    Raises:
        ValueError: `factor` is out of bounds, `value_range` is not one, or the images have another
            number of channels.

    Example:
        >>> layer = keras.layers.RandomColorDegeneration((1.0, 1.0))
        >>> image = np.array([[[100.0, 100.0, 0.0]]], "float32")
        >>> [f"{x:.0f}" for x in convert_to_numpy(layer(image)).ravel().tolist()]
        ['89', '89', '89']

    References:
        ITU-R BT.601: the weights of red, green and blue.
    """

    _channels = (1, 3)

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = unit_range(self, "factor", factor)
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"factor"`: how far, of shape `(batch, 1, 1, 1)`."""
        return {"factor": uniform((batch, 1, 1, 1), *self.factor, dtype="float32", seed=seed)}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        factor = transformation["factor"]
        return blend_with_grayscale(images, factor, self.value_range, self._axes[2])
