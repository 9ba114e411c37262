"""Random zoom of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import (
    BaseAffineTransform,
    affine_matrix,
)
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    as_given,
    factor_range,
)
from keras_fn.ops.core import cast
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomZoom(BaseAffineTransform):
    """Random zoom: in training, scales each image about its center by random factors.

    Args:
        height_factor: The limits of the zoom along the height: one number `f` for `(-f, f)`, or
            two, above -1 and up to 1. With 0.2 the image shows 20% more rows than it has (it gets
            smaller), with -0.2 20% less (it gets larger).
        width_factor: The limits along the width. By default the factor drawn for the height, so
            that the aspect ratio is kept.
        fill_mode: Pixels outside of an image `a b c`: `"reflect"` (`b a | a b c | c b`), `"wrap"`
            (`b c | a b c | a b`), `"constant"` (`fill_value`) or `"nearest"` (`a a | a b c | c c`).
        interpolation: `"nearest"` or `"bilinear"`. Masks are always sampled by the former.
        seed: An integer, for reproducible draws.
        fill_value: The value outside where `fill_mode` is `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, the format of bounding boxes, such as `"xyxy"`, and the
            arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: An argument is not one of these values.

    Example:
        >>> layer = keras.layers.RandomZoom((-0.5, -0.2))
        >>> layer(np.ones((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True
    """

    def __init__(
        self,
        height_factor: float | tuple[float, float],
        width_factor: float | tuple[float, float] | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(fill_mode, interpolation, fill_value, data_format, **kwargs)
        self.height_factor = as_given(height_factor)
        self.width_factor = as_given(width_factor)
        self.height_lower, self.height_upper = self._limits("height_factor", height_factor)
        if width_factor is not None:
            self.width_lower, self.width_upper = self._limits("width_factor", width_factor)
        self._set_seed(seed)

    def _limits(self, argument: str, factor: Any) -> tuple[float, float]:
        limits = factor_range(self, argument, factor)
        if limits[0] <= -1:
            expected = "numbers above -1: at -1, nothing of the image would be left"
            raise argument_error(self, argument, expected, factor, f"for example {argument}=0.5")
        return limits

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns the factors, of shape `(batch, 1)`."""
        shape, low = (batch, 1), 1.0 + self.height_lower
        y = uniform(shape, low, 1.0 + self.height_upper, dtype="float32", seed=seed)
        if self.width_factor is None:
            return {"height_zoom": y, "width_zoom": y}
        low, high = 1.0 + self.width_lower, 1.0 + self.width_upper
        x = uniform(shape, low, high, dtype="float32", seed=seed)
        return {"height_zoom": y, "width_zoom": x}

    def _matrix(self, transformation: Nested) -> Tensor:
        """Returns the transforms, of shape `(batch, 8)`, from pixels of the result to the image."""
        height, width = self._input_size(transformation)
        y, x = transformation["height_zoom"][:, 0], transformation["width_zoom"][:, 0]
        top = (cast(height, "float32") - 1.0) / 2.0 * (1.0 - y)
        left = (cast(width, "float32") - 1.0) / 2.0 * (1.0 - x)
        return affine_matrix(x, 0.0, left, 0.0, y, top)
