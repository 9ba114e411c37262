"""Resizing of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.core import dtypes
from keras_fn.layers._arguments import argument_error, check_flag, one_of, positive_int
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import BaseGeometricTransform
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.image.resizing import INTERPOLATIONS, resize, source_window
from keras_fn.ops.joining_splitting import stack
from keras_fn.types import Nested, Tensor


class Resizing(BaseGeometricTransform):
    """Resizing by interpolation, in training and at inference.

    Args:
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`. Masks
            are always resized by the first.
        crop_to_aspect_ratio: Whether to crop the images to the aspect ratio of the result first,
            in the center.
        pad_to_aspect_ratio: Whether to pad the images at both sides to the aspect ratio of the
            result first.
        fill_mode: `"constant"`: the padding is `fill_value`.
        fill_value: The value of the padding.
        antialias: Whether to widen the kernel of the interpolation when images get smaller.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, the format of bounding boxes, such as `"xyxy"`, and the
            arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same, with the new height and width. Integer images keep their dtype, and are rounded.

    Raises:
        ValueError: An argument is not one of these values, or there is both padding and cropping.

    Example:
        >>> layer = keras.layers.Resizing(1, 4, data_format="channels_last")
        >>> convert_to_numpy(layer(np.array([[[1.0], [3.0]]]))).ravel().tolist()
        [1.0, 1.5, 2.5, 3.0]
    """

    _runs_at_inference = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = positive_int(self, "height", height)
        self.width = positive_int(self, "width", width)
        self.interpolation = one_of(self, "interpolation", interpolation, INTERPOLATIONS)
        self.crop_to_aspect_ratio = check_flag(self, "crop_to_aspect_ratio", crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = check_flag(self, "pad_to_aspect_ratio", pad_to_aspect_ratio)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            expected = "False, as crop_to_aspect_ratio is True"
            raise argument_error(self, "pad_to_aspect_ratio", expected, True, "choose one")
        self.fill_mode = one_of(self, "fill_mode", fill_mode, ("constant",))
        self.fill_value = fill_value
        self.antialias = check_flag(self, "antialias", antialias)

    def transform_images(
        self, images: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Returns resized images: integers in their dtype, floats in the compute dtype.

        Args:
            images: The images, of rank 4.
            transformation: Not used.
            training: Not used: images are resized in any case.
        """
        if dtypes.is_float(dtype_of(images)):
            images = cast(images, self.compute_dtype)
        return self._warp(images, transformation, self.interpolation)

    def _warp(self, images: Tensor, transformation: Nested, interpolation: str) -> Tensor:
        """Returns the resized pixels, in their dtype."""
        return resize(
            images,
            (self.height, self.width),
            interpolation,
            self.antialias and interpolation != "nearest",
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )

    def _output_size(self, transformation: Nested) -> tuple[Any, Any]:
        """Returns the height and width of the resized images."""
        return self.height, self.width

    def _move_boxes(self, boxes: Tensor, transformation: Nested) -> Tensor:
        """Returns the boxes, scaled with the part of the image that is resized."""
        size = (self.height, self.width)
        options = (self.crop_to_aspect_ratio, self.pad_to_aspect_ratio)
        window = source_window(self._input_size(transformation), size, *options)
        corners = []
        for i in range(4):
            (start, extent), target = window[1 - i % 2], size[1 - i % 2]
            start, extent = cast(start, boxes.dtype), cast(extent, boxes.dtype)
            corners.append((boxes[..., i] - start) * (target / extent))
        return stack(corners, axis=-1)
