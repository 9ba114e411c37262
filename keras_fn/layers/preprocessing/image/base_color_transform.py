"""The base class of layers that change the colors of images."""

from __future__ import annotations

from typing import Any

from keras_fn.core.dtypes import is_int
from keras_fn.errors import SpecError
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,
    factor_range,
)
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.image._data_format import compute_dtype, to_pixels
from keras_fn.types import Nested, SeedLike, Tensor


class BaseColorTransform(BaseImagePreprocessingLayer):
    """Base class of layers that compute new colors for the pixels of images.

    Subclasses define

    - `_draw(batch, seed)`: the transformation of `batch` images, a dict of tensors;
    - `_transform_images(images, transformation)`: it receives floats, of 32 bits at least, and
      what it returns is cast to the compute dtype, for integers with rounding and clipping.
    """

    _channels: tuple[int, ...] = ()  # the numbers of channels that are valid; empty for all

    def _draw(self, batch: Any, seed: Any) -> Nested:
        """Returns the transformation of a batch of images.

        Args:
            batch: The number of images.
            seed: The seed of the draws.
        """
        return {}

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> Nested:
        """Draws the transformation of a batch, one for each image; None at inference.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw.
            seed: The seed of the draws; by default the layer's generator.
        """
        if not training:
            return None
        return self._draw(self._batch_and_size(data)[0], self._seed(seed))

    def transform_images(
        self, images: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Transforms a batch of images.

        Args:
            images: The images, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.

        Returns:
            Images in the compute dtype.

        Raises:
            ValueError: The images have a number of channels that the layer does not take.
        """
        self._check_channels(images)
        if not self._applies(transformation, training):
            return cast(images, self._output_dtype(images))
        return self._compute(images, transformation)

    def _output_dtype(self, images: Any) -> str:
        """Returns the dtype of the result."""
        return self.compute_dtype

    def _compute(self, images: Tensor, transformation: Nested) -> Tensor:
        """Returns transformed images, computed in 32 bits at least."""
        dtype = self._output_dtype(images)
        floats = cast(images, compute_dtype(dtype_of(images)))
        outputs = self._transform_images(floats, transformation)
        return to_pixels(outputs, dtype) if is_int(dtype) else cast(outputs, dtype)

    def _check_channels(self, images: Any) -> None:
        channels = images.shape[self._axes[2]]
        if self._channels and channels not in (*self._channels, None):
            numbers = " or ".join(map(str, self._channels))
            raise SpecError(
                self._label,
                expected=f"images of {numbers} channels, at axis {self._axes[2]}",
                received=f"{channels} channels: shape {tuple(images.shape)}",
                fix="convert the images to RGB, or set data_format",
            )


class BaseContrastTransform(BaseColorTransform):
    """Base class of layers that draw nothing, and transform in training and at inference.

    Subclasses define `_transform_images(images, transformation)`.
    """

    _runs_at_inference = True

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> None:
        """Returns None: nothing is drawn.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Not used.
            seed: Not used.
        """


def kept_dtype(images: Any, dtype: str) -> str:
    """Returns the dtype of images of integers, and `dtype` for others.

    Args:
        images: The images.
        dtype: The dtype of the layer.
    """
    own = dtype_of(images)
    return own if is_int(own) else dtype


def unit_range(layer: object, argument: str, factor: Any) -> tuple[float, float]:
    """Returns the limits of a factor from 0 to 1: `(0, f)` for a number `f`.

    Args:
        layer: The layer.
        argument: The name of the argument.
        factor: A number, or a pair of limits. A lower limit below 0 counts as 0: files of Keras
            have `(-f, f)` where a number `f` was passed.

    Raises:
        ValueError: It is neither, or out of bounds.
    """
    if isinstance(factor, (list, tuple)):
        low, high = factor_range(layer, argument, factor)
        factor = (0.0, high) if low == -high else factor
    return factor_range(layer, argument, factor, (0.0, 1.0))
