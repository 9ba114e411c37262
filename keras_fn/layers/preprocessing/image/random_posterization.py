"""Random posterization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._arguments import argument_error, is_int_at_least
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import posterize
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import value_limits
from keras_fn.ops.arithmetic import subtract
from keras_fn.random import randint
from keras_fn.types import Nested, Tensor

_BITS = 8


class RandomPosterization(BaseColorTransform):
    """Random posterization: in training, keeps only the highest bits of each channel.

    Pixels are scaled to bytes, lose their lowest bits, and are scaled back.

    Args:
        factor: The number of bits that are kept, drawn for each image: a pair of limits from 1 to
            8, both included, or an integer `n` for `(1, n)`.
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
        ValueError: `factor` is not one or two integers from 1 to 8, or `value_range` is not one.

    Example:
        >>> layer = keras.layers.RandomPosterization((1, 1))
        >>> convert_to_numpy(layer(np.array([[[100], [200]]], "uint8"))).ravel().tolist()
        [0.0, 128.0]

    References:
        Cubuk et al., "AutoAugment: Learning Augmentation Policies from Data", 2019.
    """

    def __init__(
        self,
        factor: int | Sequence[int],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = self._bits(factor)
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _bits(self, factor: Any) -> tuple[int, int]:
        pair = factor if isinstance(factor, (list, tuple)) else (1, factor)
        if len(pair) == 2 and all(is_int_at_least(n) and n <= _BITS for n in pair):
            return min(pair), max(pair)
        raise argument_error(
            self, "factor", "an integer from 1 to 8, or two", factor, "for example factor=4"
        )

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"shift_factor"`: the number of bits that are lost, of shape `(batch,)`."""
        low, high = self.factor
        return {"shift_factor": subtract(_BITS, randint((batch,), low, high + 1, seed=seed))}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return posterize(images, transformation["shift_factor"], self.value_range)
