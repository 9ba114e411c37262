"""Contrast stretching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._options import ColorLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import stretch_contrast
from keras_fn.layers.preprocessing.image.base_color_transform import BaseContrastTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import value_limits
from keras_fn.types import Nested, Tensor


class AutoContrast(BaseContrastTransform):
    """Contrast stretching: maps each channel linearly to the whole range of values.

    The least value of a channel of an image becomes the least of `value_range`, the greatest the
    greatest. A channel of one value stays as it is. The layer does the same in training and at
    inference.

    Args:
        value_range: The least and the greatest value of a pixel.
        **kwargs: `data_format`, `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: `value_range` is not one.

    Example:
        >>> image = np.array([[[100], [150], [200]]], "uint8")
        >>> convert_to_numpy(keras.layers.AutoContrast()(image)).ravel().tolist()
        [0.0, 127.5, 255.0]
    """

    def __init__(
        self, value_range: Sequence[float] = (0, 255), **kwargs: Unpack[ColorLayerOptions]
    ):
        super().__init__(**kwargs)
        self.value_range = value_limits(self, value_range)

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return stretch_contrast(images, self.value_range, self._axes[2])
