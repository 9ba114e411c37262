"""Random translation of images."""

from __future__ import annotations

from typing import Any, Unpack

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
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.random import uniform
from keras_fn.types import Nested, Tensor


class RandomTranslation(BaseAffineTransform):
    """Random translation: in training, shifts each image by random numbers of rows and columns.

    Args:
        height_factor: The limits of the shift downwards, as fractions of the height: one number
            `f` for `(-f, f)`, or two, from -1 to 1.
        width_factor: The limits of the shift to the right, as fractions of the width.
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
        >>> half = (0.5, 0.5)
        >>> layer = keras.layers.RandomTranslation(
        ...     half, 0.0, fill_mode="constant", data_format="channels_last"
        ... )
        >>> x = np.array([[[1.0]], [[2.0]]])
        >>> convert_to_numpy(layer(x)).ravel().tolist()
        [0.0, 1.0]
    """

    def __init__(
        self,
        height_factor: float | tuple[float, float],
        width_factor: float | tuple[float, float],
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
        self.height_lower, self.height_upper = factor_range(self, "height_factor", height_factor)
        self.width_lower, self.width_upper = factor_range(self, "width_factor", width_factor)
        self._set_seed(seed)

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns the shifts to the right and downwards in pixels, of shape `(batch, 2)`."""
        shape = (batch, 1)
        y = uniform(shape, self.height_lower, self.height_upper, dtype="float32", seed=seed)
        x = uniform(shape, self.width_lower, self.width_upper, dtype="float32", seed=seed)
        x, y = x * cast(width, "float32"), y * cast(height, "float32")
        return {"translations": concatenate([x, y], axis=1)}

    def _matrix(self, transformation: Nested) -> Tensor:
        """Returns the transforms, of shape `(batch, 8)`, from pixels of the result to the image."""
        shifts = transformation["translations"]
        return affine_matrix(1.0, 0.0, -shifts[:, 0], 0.0, 1.0, -shifts[:, 1])
