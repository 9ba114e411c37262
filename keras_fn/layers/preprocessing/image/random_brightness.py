"""Random changes of brightness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ColorLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import adjust_brightness
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    factor_range,
    value_limits,
)
from keras_fn.ops.arithmetic import multiply
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomBrightness(BaseColorTransform):
    """Random brightness: in training, adds a number to the pixels of each image, and clips them.

    Args:
        factor: How much is added, as a fraction of the width of `value_range`, drawn for each
            image: a pair of limits from -1 (black) to 1 (white), or a number `f` for `(-f, f)`.
        value_range: The least and the greatest value of a pixel.
        seed: An integer, for reproducible draws.
        **kwargs: `data_format`, `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: `factor` is out of bounds, or `value_range` is not one.

    Example:
        >>> layer = keras.layers.RandomBrightness((0.5, 0.5), value_range=(0, 10))
        >>> image = np.array([[[1.0], [7.0]]], "float32")
        >>> convert_to_numpy(layer(image)).ravel().tolist()
        [6.0, 10.0]
        >>> convert_to_numpy(layer(image, training=False)).ravel().tolist()
        [1.0, 7.0]
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **kwargs: Unpack[ColorLayerOptions],
    ):
        super().__init__(**kwargs)
        self.factor = factor_range(self, "factor", factor)
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"rgb_delta"`: what is added, of shape `(batch, 1, 1, 1)`."""
        width = self.value_range[1] - self.value_range[0]
        factor = uniform((batch, 1, 1, 1), *self.factor, dtype="float32", seed=seed)
        return {"rgb_delta": multiply(factor, width)}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return adjust_brightness(images, transformation["rgb_delta"], self.value_range)
