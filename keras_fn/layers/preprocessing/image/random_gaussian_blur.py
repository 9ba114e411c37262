"""Random Gaussian blur."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._arguments import argument_error, int_tuple
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import blur_some
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    draw_choices,
    factor_range,
    value_limits,
)
from keras_fn.ops.arithmetic import add
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomGaussianBlur(BaseColorTransform):
    """Random Gaussian blur: in training, convolves some images with a Gaussian kernel.

    Images are continued by reflection at the border, without repeating the outermost pixel.

    Args:
        factor: The probability that an image is blurred, drawn for each image: a pair of limits
            from 0 to 1, or a number `f` for `(0, f)`.
        kernel_size: Width and height of the kernel in pixels: an odd integer, or two.
        sigma: The standard deviations of the kernel along the width and the height in pixels, drawn
            for each image: a pair of limits, or a number `s` for `(0, s)`.
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
        ValueError: `factor` or `sigma` is out of bounds, `kernel_size` is even, or `value_range` is
            not one.

    Example:
        >>> layer = keras.layers.RandomGaussianBlur((1.0, 1.0), sigma=(1.0, 1.0))
        >>> image = np.array([[[0.0], [4.0], [0.0]]], "float32")
        >>> print(f"{float(layer(image)[0, 1, 0]):.3f}")
        1.807
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        kernel_size: int | Sequence[int] = 3,
        sigma: float | Sequence[float] = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self.kernel_size = int_tuple(self, "kernel_size", kernel_size, 2)
        if any(n % 2 == 0 for n in self.kernel_size):
            fix = "for example kernel_size=3"
            raise argument_error(self, "kernel_size", "odd integers", kernel_size, fix)
        self.sigma = factor_range(self, "sigma", sigma, (0.0, 1e6))
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"should_apply_blur"`, of shape `(batch,)`, and `"blur_factor"`, `(batch, 2)`."""
        return {
            "should_apply_blur": draw_choices(batch, self.factor, seed),
            "blur_factor": add(uniform((batch, 2), *self.sigma, dtype="float32", seed=seed), 1e-6),
        }

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        choices, sigma = transformation["should_apply_blur"], transformation["blur_factor"]
        return blur_some(images, choices, sigma, self.kernel_size, self.value_range, self._axes[2])
