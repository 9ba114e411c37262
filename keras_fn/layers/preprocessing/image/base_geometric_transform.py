"""The base classes of layers that move pixels: boxes and masks move along with the image."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.errors import missing_method
from keras_fn.layers._arguments import one_of
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
    images_of,
)
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.image.bounding_boxes import (
    clip_to_image_size,
    convert_format,
    enclose_transformed_corners,
)
from keras_fn.ops.image.sampling import transform_images
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import all as all_, equal, logical_or, where
from keras_fn.ops.manipulation import reshape
from keras_fn.types import Nested, SeedLike, Tensor

FILL_MODES = ("reflect", "wrap", "constant", "nearest")


class BaseGeometricTransform(BaseImagePreprocessingLayer):
    """Base class of layers that move pixels.

    Subclasses define

    - `_draw(batch, height, width, seed)`: a dict of random numbers for a batch of images of this
      size, to which `get_random_transformation` adds `"input_shape"`, the shape of the images;
    - `_warp(images, transformation, interpolation)`: the pixels, in the dtype of `images`; masks
      are passed with `interpolation="nearest"`;
    - `_move_boxes(boxes, transformation)`: boxes in the format `"xyxy"`. Coordinates are those of
      edges, as everywhere for boxes: the pixel `i` reaches from `i` to `i + 1`.

    Boxes are then clipped to the image; the label of a box that is outside becomes -1. Boxes of
    four zeros, or of four times -1, are padding, and stay as they are. Masks keep their dtype.

    Attributes:
        interpolation: The interpolation of images: `"nearest"` or `"bilinear"`.
    """

    _moves_boxes = True
    interpolation = "bilinear"

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns the random numbers of a transformation."""
        return {}

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> Nested:
        """Draws the transformation of a batch, for the `transform_*` methods.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw.
            seed: The seed of the draws; by default the layer's generator.

        Returns:
            A dict with an entry for each random number, and the shape of the images as
            `"input_shape"`; None at inference.
        """
        if not training and not self._runs_at_inference:
            return None
        drawn = self._draw(*self._batch_and_size(data), self._seed(seed))
        return {**drawn, "input_shape": shape_of(images_of(data))}

    def _warp(self, images: Tensor, transformation: Nested, interpolation: str) -> Tensor:
        """Returns the pixels of the transformed images, in their dtype. Subclasses define it."""
        raise missing_method(self, "_warp(images, transformation, interpolation)")

    def _move_boxes(self, boxes: Tensor, transformation: Nested) -> Tensor:
        """Returns transformed boxes in the format "xyxy". Subclasses define it."""
        raise missing_method(self, "_move_boxes(boxes, transformation)")

    def _input_size(self, transformation: Nested) -> tuple[Any, Any]:
        """Returns the height and width of the images that a transformation was drawn for."""
        shape = transformation["input_shape"]
        height, width, _ = self._axes
        return shape[height], shape[width]

    def _output_size(self, transformation: Nested) -> tuple[Any, Any]:
        """Returns the height and width of the transformed images: by default the same."""
        return self._input_size(transformation)

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        """Returns transformed images."""
        return self._warp(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Moves the pixels of masks along with those of the images; no new label arises.

        Args:
            segmentation_masks: The masks, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.
        """
        if not self._applies(transformation, training):
            return segmentation_masks
        return self._warp(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Nested, transformation: Nested, training: bool = True
    ) -> Nested:
        """Returns the smallest boxes around the transformed boxes, clipped to the image.

        Args:
            bounding_boxes: A dict of boxes, in the layer's `bounding_box_format`, and labels.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.
        """
        if not self._applies(transformation, training):
            return bounding_boxes
        form = self.bounding_box_format or "xyxy"
        height, width = self._input_size(transformation)
        boxes = convert_format(bounding_boxes, form, "xyxy", height, width)
        boxes["boxes"] = self._move_boxes(boxes["boxes"], transformation)
        height, width = self._output_size(transformation)
        boxes = clip_to_image_size(boxes, height, width)
        boxes = convert_format(boxes, "xyxy", form, height, width)
        received = cast(bounding_boxes["boxes"], boxes["boxes"].dtype)
        boxes["boxes"] = where(_is_padding(received), received, boxes["boxes"])
        return boxes


def _is_padding(boxes: Tensor) -> Tensor:
    """Returns which boxes consist of four zeros or of four times -1, of shape `(..., 1)`."""
    tests = [all_(equal(boxes, value), axis=-1, keepdims=True) for value in (0, -1)]
    return logical_or(*tests)


class BaseAffineTransform(BaseGeometricTransform):
    """Base class of random affine (or projective) transforms of images.

    Subclasses define `_draw` and `_matrix(transformation)`: for each image the
    eight numbers of `ops.image.affine_transform`, which lead from a pixel of the result to the
    place that it shows. Images are sampled there; boxes are moved by the inverse.

    Args:
        fill_mode: Pixels outside of the image: `"reflect"`, `"wrap"`, `"constant"` or `"nearest"`.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: The value of pixels outside where `fill_mode` is `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: As of the base class.
    """

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.fill_mode = one_of(self, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_value = fill_value

    _is_affine = True  # whether the last two of the eight numbers are 0

    def _matrix(self, transformation: Nested) -> Tensor:
        """Returns the transforms, of shape `(batch, 8)`, from pixels of the result to the image.

        Subclasses define it.
        """
        raise missing_method(self, "_matrix(transformation)")

    def _warp(self, images: Tensor, transformation: Nested, interpolation: str) -> Tensor:
        """Returns the pixels of the transformed images, in their dtype."""
        matrix = self._matrix(transformation)
        matrix = matrix[:, :6] if self._is_affine else matrix
        channels_last = self.data_format == "channels_last"
        options = (interpolation, self.fill_mode, self.fill_value, channels_last)
        return transform_images(images, matrix, *options)

    def _move_boxes(self, boxes: Tensor, transformation: Nested) -> Tensor:
        """Returns the boxes around the transformed corners."""
        return move_boxes(boxes, self._matrix(transformation))


def affine_matrix(*numbers: Any) -> Tensor:
    """Returns transforms of shape `(batch, 8)`, of six numbers or tensors of shape `(batch,)`."""
    some = next(n for n in numbers if not isinstance(n, (int, float)))
    zero = some * 0.0
    rows = [n + zero if isinstance(n, (int, float)) else n for n in (*numbers, 0.0, 0.0)]
    return stack(rows, axis=1)


def move_boxes(boxes: Tensor, matrix: Tensor) -> Tensor:
    """Returns the smallest boxes around boxes that move along with an image.

    Args:
        boxes: Tensor of shape `(batch, boxes, 4)`, in the format `"xyxy"`.
        matrix: Projective transforms from pixels of the result to the image: `(batch, 8)`.
    """
    matrix = cast(matrix, boxes.dtype)
    a0, a1, a2, b0, b1, b2, c0, c1 = (reshape(matrix[:, i], (-1, 1, 1)) for i in range(8))
    # The inverse of a projective transform, by cofactors.
    rows = (
        (b1 - b2 * c1, a2 * c1 - a1, a1 * b2 - a2 * b1),
        (b2 * c0 - b0, a0 - a2 * c0, a2 * b0 - a0 * b2),
        (b0 * c1 - b1 * c0, a1 * c0 - a0 * c1, a0 * b1 - a1 * b0),
    )

    def point(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        x, y = x - 0.5, y - 0.5  # the pixel i has its center at i + 1/2
        x, y, depth = (p * x + q * y + r for p, q, r in rows)
        return x / depth + 0.5, y / depth + 0.5

    return enclose_transformed_corners(boxes, point)
