"""Random changes of saturation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import adjust_saturation
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform, unit_range
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    value_limits,
)
from keras_fn.ops.arithmetic import add, divide, subtract
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomSaturation(BaseColorTransform):
    """Random saturation: in training, scales the saturation of each RGB image.

    Args:
        factor: A pair of limits from 0 to 1, or a number `f` for `(0, f)`. The saturation is
            multiplied by `x / (1 - x)` with `x` drawn for each image: 0 makes it gray, 0.5 keeps
            it, 1 saturates it.
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
        >>> layer = keras.layers.RandomSaturation((0.0, 0.0))
        >>> image = np.array([[[100.0, 50.0, 25.0]]], "float32")
        >>> convert_to_numpy(layer(image)).tolist()
        [[[100.0, 100.0, 100.0]]]

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
        self.factor = unit_range(self, "factor", factor)
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"factor"`: what the saturation is multiplied by, of shape `(batch,)`."""
        factor = uniform((batch,), *self.factor, dtype="float32", seed=seed)
        return {"factor": divide(factor, add(subtract(1.0, factor), 1e-7))}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        factor = transformation["factor"]
        return adjust_saturation(images, factor, self.value_range, self._axes[2])
