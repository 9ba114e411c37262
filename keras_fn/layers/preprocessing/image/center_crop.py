"""Center crop of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_crop import BaseCrop


class CenterCrop(BaseCrop):
    """Center crop: cuts the middle out of images, in training and at inference.

    Of an image that is smaller than the result, the largest window of the result's aspect ratio is
    resized to it.

    Args:
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, the format of bounding boxes, such as `"xyxy"`, and the
            arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same, with the new height and width.

    Raises:
        ValueError: An argument is not one of these values.

    Example:
        >>> layer = keras.layers.CenterCrop(4, 5, data_format="channels_last")
        >>> tuple(layer(np.ones((2, 8, 8, 3))).shape)
        (2, 4, 5, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(height, width, data_format, **kwargs)

    def _place(self, height: Any, width: Any, seed: Any) -> tuple[Any, Any]:
        """Returns the first row and column of the window in the center."""
        return (height - self.height) // 2, (width - self.width) // 2
