"""Random changes of contrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ColorLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import adjust_contrast
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    factor_range,
    value_limits,
)
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomContrast(BaseColorTransform):
    """Random contrast: in training, scales the distances of pixels from the mean of their channel.

    With a factor drawn for each image, a pixel `x` becomes `(x - mean) * factor + mean`, clipped.

    Args:
        factor: A pair `(lower, upper)` of numbers from 0 to 1, for factors from `1 - lower` to
            `1 + upper`; or a number for both.
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
        >>> layer = keras.layers.RandomContrast((1.0, 0.0), seed=1)
        >>> image = np.array([[[10.0], [30.0]]], "float32")
        >>> lighter, darker = convert_to_numpy(layer(image)).ravel().tolist()
        >>> 10 <= lighter <= darker <= 30
        True
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **kwargs: Unpack[ColorLayerOptions],
    ):
        super().__init__(**kwargs)
        limits = factor_range(self, "factor", factor, (0.0, 1.0))
        is_pair = isinstance(factor, Sequence)
        self.factor = (factor[0], factor[1]) if is_pair else (limits[1], limits[1])
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"contrast_factor"`, of shape `(batch, 1, 1, 1)`."""
        lower, upper = self.factor
        factor = uniform((batch, 1, 1, 1), 1.0 - lower, 1.0 + upper, dtype="float32", seed=seed)
        return {"contrast_factor": factor}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        factor = transformation["contrast_factor"]
        return adjust_contrast(images, factor, self.value_range, self._axes[2])
