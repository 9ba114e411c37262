"""Histogram equalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from keras_fn.layers._arguments import positive_int
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._histograms import equalize_histogram
from keras_fn.layers.preprocessing.image.base_color_transform import BaseContrastTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import value_limits
from keras_fn.types import Nested, Tensor


class Equalization(BaseContrastTransform):
    """Histogram equalization: maps each channel so that all values are about equally frequent.

    The value of a pixel becomes its rank: the part of the pixels of the channel that are not
    lighter, rounded to one of 256 values. A channel of one value stays as it is. The layer does
    the same in training and at inference.

    Args:
        value_range: The least and the greatest value of a pixel.
        bins: Number of bins of the histograms.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: `bins` is not a positive integer, or `value_range` is not one.

    Example:
        >>> image = np.array([[[7], [8], [9], [9]]], "uint8")
        >>> convert_to_numpy(keras.layers.Equalization()(image)).ravel().tolist()
        [0.0, 85.0, 255.0, 255.0]

    References:
        Gonzalez and Woods, "Digital Image Processing", 1992, section 3.3.
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_limits(self, value_range)
        self.bins = positive_int(self, "bins", bins)

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return equalize_histogram(images, self.bins, self.value_range, self._axes[2])
