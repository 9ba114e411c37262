"""Random changes of brightness, contrast, saturation and hue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform, unit_range
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    as_given,
    factor_range,
    value_limits,
)
from keras_fn.layers.preprocessing.image.random_brightness import RandomBrightness
from keras_fn.layers.preprocessing.image.random_contrast import RandomContrast
from keras_fn.layers.preprocessing.image.random_hue import RandomHue
from keras_fn.layers.preprocessing.image.random_saturation import RandomSaturation
from keras_fn.types import Nested, Tensor

_LAYERS = {
    "brightness": RandomBrightness,
    "contrast": RandomContrast,
    "saturation": RandomSaturation,
    "hue": RandomHue,
}

_LIMITS: dict[str, Any] = {
    "brightness": (factor_range,),
    "contrast": (factor_range, (0.0, 1.0)),
    "saturation": (unit_range,),
    "hue": (factor_range, (0.0, 1.0)),
}


class RandomColorJitter(BaseColorTransform):
    """Color jitter: in training, changes brightness, contrast, saturation and hue of each image.

    The changes are made in this order; one whose factor is None is left out.

    Args:
        value_range: The least and the greatest value of a pixel.
        brightness_factor: The factor of `RandomBrightness`.
        contrast_factor: The factor of `RandomContrast`.
        saturation_factor: The factor of `RandomSaturation`.
        hue_factor: The factor of `RandomHue`.
        seed: An integer, for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, 3)` or `(batch, height, width, 3)`, or with the channels
        before the height; or a dict of images, labels, bounding boxes and segmentation masks.
        Without changes of saturation and hue, any number of channels; gray images, of one
        channel, have neither.

    Output shape:
        The same.

    Raises:
        ValueError: A factor is out of bounds, `value_range` is not one, or the images are not RGB.

    Example:
        >>> layer = keras.layers.RandomColorJitter((0, 1), brightness_factor=0.2, hue_factor=0.1)
        >>> layer(np.zeros((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True
    """

    _is_compilable = False  # options of the layers inside can change

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: float | Sequence[float] | None = None,
        contrast_factor: float | Sequence[float] | None = None,
        saturation_factor: float | Sequence[float] | None = None,
        hue_factor: float | Sequence[float] | None = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_limits(self, value_range)
        self.brightness_factor = as_given(brightness_factor)
        self.contrast_factor = as_given(contrast_factor)
        self.saturation_factor = as_given(saturation_factor)
        self.hue_factor = as_given(hue_factor)
        self._set_seed(seed)
        self.random_brightness = self._make("brightness")
        self.random_contrast = self._make("contrast")
        self.random_saturation = self._make("saturation")
        self.random_hue = self._make("hue")
        if self.random_saturation or self.random_hue:
            self._channels = (1, 3)

    def _make(self, name: str) -> BaseColorTransform | None:
        """Returns the layer of one change; None if its factor is None."""
        factor = getattr(self, f"{name}_factor")
        if factor is None:
            return None
        check, *bounds = _LIMITS[name]
        check(self, f"{name}_factor", factor, *bounds)
        return _LAYERS[name](
            factor,
            value_range=self.value_range,
            seed=self.seed,
            data_format=self.data_format,
        )

    def _changes(self) -> dict[str, BaseColorTransform]:
        layers = {name: getattr(self, f"random_{name}") for name in _LAYERS}
        return {name: layer for name, layer in layers.items() if layer is not None}

    def _draw(self, batch: Any, seed: Any) -> dict[str, Nested]:
        """Returns the transformations of the layers, by `"brightness"`, `"contrast"` and so on."""
        return {name: layer._draw(batch, seed) for name, layer in self._changes().items()}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        for name, layer in self._changes().items():
            images = layer._transform_images(images, transformation[name])
        return images
