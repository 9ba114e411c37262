"""Contrast limited adaptive histogram equalization (CLAHE)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._arguments import int_tuple, nonnegative_number
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._histograms import equalize_adaptively
from keras_fn.layers.preprocessing.image.base_color_transform import (
    BaseContrastTransform,
    kept_dtype,
)
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import value_limits
from keras_fn.types import Nested, Tensor


class ContrastLimitedAdaptiveHistogramEqualization(BaseContrastTransform):
    """CLAHE: histogram equalization of each region of an image, with a limit of the contrast.

    Each channel is divided into tiles. The histogram of a tile is clipped, what was above the limit
    is given to all bins alike, and the cumulative histogram becomes a table of new values. A pixel
    is looked up in the tables of the nearest four tiles, and the results are interpolated. The
    layer does the same in training and at inference.

    Args:
        value_range: The least and the greatest value of a pixel.
        clip_limit: The highest count of a bin, as a multiple of the mean count. 0 for no limit.
        tile_grid_size: The number of tiles along the height and along the width.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same. Images of integers keep their dtype, rounded.

    Raises:
        ValueError: `tile_grid_size` is not two positive integers, `clip_limit` is negative, or
            `value_range` is not one.

    Example:
        >>> layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=2.0)
        >>> layer(np.zeros((2, 20, 30, 3), "uint8")).shape == (2, 20, 30, 3)
        True

    References:
        Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994.
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_limits(self, value_range)
        self.clip_limit = nonnegative_number(self, "clip_limit", clip_limit)
        self.tile_grid_size = int_tuple(self, "tile_grid_size", tile_grid_size, 2)

    def _output_dtype(self, images: Any) -> str:
        return kept_dtype(images, self.compute_dtype)

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return equalize_adaptively(
            images, self.clip_limit, self.tile_grid_size, self.value_range, self._axes[2]
        )
