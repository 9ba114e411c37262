"""Solarization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ColorLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import solarize
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    factor_range,
    value_limits,
)
from keras_fn.ops.arithmetic import multiply
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class Solarization(BaseColorTransform):
    """Solarization: in training, inverts the pixels that are at a threshold or above.

    Args:
        addition_factor: What is added to the pixels before, as a fraction of the width of
            `value_range`, drawn for each image: a pair of limits from 0 to 1, or a number `f` for
            `(0, f)`. The sum is clipped to the range.
        threshold_factor: The threshold, as a fraction of the range, drawn for each image: a pair of
            limits from 0 to 1, or a number `f` for `(0, f)`. With 0 all pixels are inverted.
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
        ValueError: A factor is out of bounds, or `value_range` is not one.

    Example:
        >>> layer = keras.layers.Solarization(threshold_factor=(0.5, 0.5))
        >>> convert_to_numpy(layer(np.array([[[100], [200]]], "uint8"))).ravel().tolist()
        [100.0, 55.0]

    References:
        Cubuk et al., "AutoAugment: Learning Augmentation Policies from Data", 2019.
    """

    def __init__(
        self,
        addition_factor: float | Sequence[float] = 0.0,
        threshold_factor: float | Sequence[float] = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        **kwargs: Unpack[ColorLayerOptions],
    ):
        super().__init__(**kwargs)
        self.addition_factor = factor_range(self, "addition_factor", addition_factor, (0.0, 1.0))
        self.threshold_factor = factor_range(self, "threshold_factor", threshold_factor, (0.0, 1.0))
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"additions"` and `"thresholds"` of bytes, of shape `(batch, 1, 1, 1)`."""
        limits = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {
            name: multiply(uniform((batch, 1, 1, 1), *pair, dtype="float32", seed=seed), 255.0)
            for name, pair in limits.items()
        }

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        additions, thresholds = transformation["additions"], transformation["thresholds"]
        return solarize(images, additions, thresholds, self.value_range)
