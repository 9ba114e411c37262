"""Random conversion to grayscale."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import fraction
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._color_transforms import to_grayscale
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform, kept_dtype
from keras_fn.ops.core import cast
from keras_fn.ops.logic import less
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomGrayscale(BaseColorTransform):
    """Random grayscale: in training, each RGB image becomes gray with a probability.

    A gray image still has three channels, all `0.2989 * red + 0.587 * green + 0.114 * blue`.

    Args:
        factor: The probability, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        seed: An integer, for reproducible draws.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, 3)` or `(batch, height, width, 3)`, or with the channels
        before the height; or a dict of images, labels, bounding boxes and segmentation masks.
        Images of one channel stay as they are.

    Output shape:
        The same. Images of integers keep their dtype, rounded down.

    Raises:
        ValueError: `factor` is not from 0 to 1, or the images are not RGB.

    Example:
        >>> layer = keras.layers.RandomGrayscale(1.0)
        >>> convert_to_numpy(layer(np.array([[[100, 100, 0]]], "uint8"))).tolist()
        [[[88, 88, 88]]]

    References:
        ITU-R BT.601: the weights of red, green and blue.
    """

    _channels = (1, 3)

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = fraction(self, "factor", factor)
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> Tensor:
        """Returns booleans of shape `(batch, 1, 1, 1)`: which images become gray."""
        return less(uniform((batch, 1, 1, 1), dtype="float32", seed=seed), self.factor)

    def _output_dtype(self, images: Any) -> str:
        return kept_dtype(images, self.compute_dtype)

    def _compute(self, images: Tensor, transformation: Nested) -> Tensor:
        images = cast(images, self._output_dtype(images))
        return to_grayscale(images, transformation, self._axes[2])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values; the seed if there is one."""
        config = super().get_config()
        if config["seed"] is None:
            del config["seed"]
        return config
