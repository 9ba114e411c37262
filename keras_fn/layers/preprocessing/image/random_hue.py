"""Random changes of hue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import adjust_hue
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    factor_range,
    value_limits,
)
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.logic import less, where
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomHue(BaseColorTransform):
    """Random hue: in training, rotates the hue of the pixels of each RGB image.

    Args:
        factor: How far, as a fraction of half a turn, in a random direction, drawn for each
            image: a pair of limits from 0 to 1, or a number `f` for `(0, f)`.
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
        >>> layer = keras.layers.RandomHue(0.5, value_range=(0, 1), seed=1)
        >>> red = np.array([[[1.0, 0.0, 0.0]]], "float32")
        >>> float(ops.max(layer(red)))  # as bright as before
        1.0

    References:
        Smith, "Color gamut transform pairs", 1978 (the color space HSV).
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
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"factor"`: the rotation in turns, of shape `(batch,)`."""
        direction = where(less(uniform((batch,), dtype="float32", seed=seed), 0.5), 0.5, -0.5)
        factor = uniform((batch,), *self.factor, dtype="float32", seed=seed)
        return {"factor": multiply(direction, factor)}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return adjust_hue(images, transformation["factor"], self.value_range, self._axes[2])
