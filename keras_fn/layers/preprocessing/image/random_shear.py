"""Random shear of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import (
    BaseAffineTransform,
    affine_matrix,
)
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import factor_range
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.ops.logic import less, where
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomShear(BaseAffineTransform):
    """Random shear: in training, shifts the rows (or columns) of each image, one more than another.

    Args:
        x_factor: The limits of the shift to the side per row, in columns: one number `f` for
            `(-f, f)`, or two, from 0 to 1. Half of the images are sheared the other way.
        y_factor: The limits of the shift downwards per column, in rows.
        interpolation: `"nearest"` or `"bilinear"`. Masks are always sampled by the former.
        fill_mode: Pixels outside of an image `a b c`: `"reflect"` (`b a | a b c | c b`), `"wrap"`
            (`b c | a b c | a b`), `"constant"` (`fill_value`) or `"nearest"` (`a a | a b c | c c`).
        fill_value: The value outside where `fill_mode` is `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        seed: An integer, for reproducible draws.
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
        >>> layer = keras.layers.RandomShear(x_factor=0.3)
        >>> layer(np.ones((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True
    """

    def __init__(
        self,
        x_factor: float | tuple[float, float] = 0.0,
        y_factor: float | tuple[float, float] = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(fill_mode, interpolation, fill_value, data_format, **kwargs)
        self.x_factor = self._limits("x_factor", x_factor)
        self.y_factor = self._limits("y_factor", y_factor)
        self._set_seed(seed)

    def _limits(self, argument: str, factor: Any) -> tuple[float, float]:
        limits = factor_range(self, argument, factor)
        if limits[0] < 0 and limits[0] != -limits[1]:
            expected = "a number, or two, from 0 to 1"
            raise argument_error(self, argument, expected, factor, f"for example {argument}=0.5")
        return limits

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns the factors along x and y, of shape `(batch, 2)`."""
        shape = (batch, 1)
        sign = where(less(uniform(shape, dtype="float32", seed=seed), 0.5), 1.0, -1.0)
        y = uniform(shape, *self.y_factor, dtype="float32", seed=seed)
        x = uniform(shape, *self.x_factor, dtype="float32", seed=seed)
        return {"shear_factor": concatenate([x, y], axis=1) * sign}

    def _matrix(self, transformation: Nested) -> Tensor:
        """Returns the transforms, of shape `(batch, 8)`, from pixels of the result to the image."""
        factors = transformation["shear_factor"]
        return affine_matrix(1.0, factors[:, 0], 0.0, factors[:, 1], 1.0, 0.0)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor; of symmetric limits, the one number."""
        config = super().get_config()
        for argument in ("x_factor", "y_factor"):
            low, high = config[argument]
            if low == -high:
                config[argument] = high
        return config
