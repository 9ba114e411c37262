"""Random erasing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import erase
from keras_fn.layers.preprocessing.image._patches import draw_patches
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    draw_choices,
    factor_range,
    images_of,
    value_limits,
)
from keras_fn.ops.arithmetic import clip, multiply
from keras_fn.ops.core import convert_to_tensor, shape as shape_of
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import sqrt
from keras_fn.random import normal, uniform
from keras_fn.types import Nested, SeedLike, Tensor


class RandomErasing(BaseColorTransform):
    """Random erasing: in training, fills a random rectangle in some images.

    Args:
        factor: The probability that a part of an image is erased, drawn for each image: a pair of
            limits from 0 to 1, or a number `f` for `(0, f)`.
        scale: The squares of the height and of the width of the rectangle, as fractions of the
            image's, drawn for each image: a pair of limits from 0 to 1, or a number `s` for
            `(0, s)`. These are about the limits of the area.
        fill_value: What the rectangle is filled with: a number, or one for each channel. None for
            noise: normal numbers, of the standard deviation `value_range[1]`, clipped.
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
        ValueError: `factor` or `scale` is out of bounds, or `value_range` is not one.

    Example:
        >>> layer = keras.layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=9.0)
        >>> int(ops.sum(layer(np.zeros((8, 8, 1), "float32"))))  # of 4 x 4 pixels
        144

    References:
        Zhong et al., "Random Erasing Data Augmentation", 2017.
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float | Sequence[float] = (0.02, 0.33),
        fill_value: float | Sequence[float] | None = None,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self.scale = factor_range(self, "scale", scale, (0.0, 1.0))
        self.fill_value = self._check_fill(fill_value)
        if isinstance(fill_value, (list, tuple)):
            self._channels = (len(fill_value),)
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _check_fill(self, value: Any) -> Any:
        numbers = value if isinstance(value, (list, tuple)) else (value,)
        if value is None or all(isinstance(v, (int, float)) for v in numbers):
            return value
        expected, fix = "a number, one for each channel, or None", "for example fill_value=0.0"
        raise argument_error(self, "fill_value", expected, value, fix)

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> dict[str, Tensor] | None:
        """Draws the rectangles of a batch; None at inference.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw.
            seed: The seed of the draws; by default the layer's generator.

        Returns:
            `"apply_erasing"`, booleans of shape `(batch,)`; `"batch_masks"`, the pixels of the
            rectangles, of the shape of the images with one channel; `"fill_value"`, which
            broadcasts to the images.
        """
        if not training:
            return None
        seed = self._seed(seed)
        sizes = self._batch_and_size(data)
        fractions = [
            sqrt(uniform((sizes[0],), *self.scale, dtype="float32", seed=seed)) for _ in range(2)
        ]
        return {
            "batch_masks": draw_patches(sizes, fractions, self._axes[:2], seed),
            "apply_erasing": draw_choices(sizes[0], self.factor, seed),
            "fill_value": self._fill(images_of(data), seed),
        }

    def _fill(self, images: Any, seed: Any) -> Tensor:
        """Returns what rectangles are filled with."""
        if self.fill_value is None:
            noise = normal(shape_of(images), dtype="float32", seed=seed)
            fill = multiply(noise, self.value_range[1])
        else:
            fill = convert_to_tensor(self.fill_value, "float32")
            shape = [1] * 4
            shape[self._axes[2]] = -1
            fill = reshape(fill, shape)
        return clip(fill, *self.value_range)

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        choices, masks = transformation["apply_erasing"], transformation["batch_masks"]
        return erase(images, choices, masks, transformation["fill_value"])
