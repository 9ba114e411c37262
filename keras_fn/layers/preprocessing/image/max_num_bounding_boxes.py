"""A fixed number of bounding boxes for each image."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import positive_int
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
)
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import full
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.types import Nested, Tensor


class MaxNumBoundingBoxes(BaseImagePreprocessingLayer):
    """Pads or truncates bounding boxes to the same number for each image.

    Args:
        max_number: The number of boxes of the result.
        fill_value: An integer: the numbers and the label of a box that is missing.
        **kwargs: `bounding_box_format`, `data_format`, and the arguments of all layers. The boxes
            may have any format.

    Input shape:
        A dict of images and what belongs to them. `"bounding_boxes"` is a dict of `"boxes"`, of
        shape `(batch, boxes, 4)`, and `"labels"`, of shape `(batch, boxes)`.

    Output shape:
        The same, with `max_number` boxes and labels for each image.

    Raises:
        ValueError: `max_number` is not a positive integer.

    Example:
        >>> boxes = {"boxes": np.ones((1, 2, 4)), "labels": np.array([[3, 4]])}
        >>> data = {"images": np.ones((1, 8, 8, 3)), "bounding_boxes": boxes}
        >>> result = keras.layers.MaxNumBoundingBoxes(3)(data)
        >>> convert_to_numpy(result["bounding_boxes"]["labels"]).tolist()
        [[3, 4, -1]]
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Unpack[ImageLayerOptions]):
        super().__init__(**kwargs)
        self.max_number = positive_int(self, "max_number", max_number)
        self.fill_value = int(fill_value)

    def transform_images(
        self, images: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Returns the images as they are.

        Args:
            images: The images.
            transformation: Not used.
            training: Not used.
        """
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: Nested, transformation: Nested, training: bool = True
    ) -> Nested:
        """Returns boxes and labels with `max_number` along the second axis.

        Args:
            bounding_boxes: A dict of boxes and labels.
            transformation: Not used.
            training: Not used: this is done in any case.
        """
        return {name: self._resize(value) for name, value in bounding_boxes.items()}

    def _resize(self, value: Any) -> Tensor:
        batch, _, *rest = shape_of(value)
        padding = cast(full((batch, self.max_number, *rest), self.fill_value), value.dtype)
        return concatenate([value, padding], axis=1)[:, : self.max_number]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values; `fill_value` unless -1."""
        config = super().get_config()
        if self.fill_value == -1:
            del config["fill_value"]
        return config
