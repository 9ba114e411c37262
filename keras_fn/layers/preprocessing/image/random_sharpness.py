"""Random changes of sharpness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import adjust_sharpness
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    factor_range,
    value_limits,
)
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.core import convert_to_tensor
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomSharpness(BaseColorTransform):
    """Random sharpness: in training, blends each image with its smoothed form, or away from it.

    Args:
        factor: A pair of limits from 0 to 1, or a number `f` for `(0, f)`. A number `x` is drawn
            for each image: 0 smooths it, 0.5 keeps it, 1 sharpens it. The smoothing filter of 3 by
            3 pixels has ones around a center of 5. Pixels at the border stay.
        value_range: The least and the greatest value of a pixel.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        seed: An integer, for reproducible draws.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: `factor` is out of bounds, `value_range` is not one.

    Example:
        >>> layer = keras.layers.RandomSharpness((0.5, 0.5))
        >>> image = np.arange(9, dtype="float32").reshape((3, 3, 1))
        >>> bool(ops.all(layer(image) == image))
        True

    References:
        Cubuk et al., "AutoAugment: Learning Augmentation Policies from Data", 2019.
    """

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
        """Returns `"factor"`, of shape `(batch,)`."""
        return {"factor": uniform((batch,), *self.factor, dtype="float32", seed=seed)}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        factor = multiply(convert_to_tensor(transformation["factor"], images.dtype), 2.0)
        return adjust_sharpness(images, factor, self.value_range, self._axes[2])
