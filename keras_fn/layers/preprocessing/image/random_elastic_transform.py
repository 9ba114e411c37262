"""Random elastic transform of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import one_of
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_geometric_transform import (
    FILL_MODES,
    BaseGeometricTransform,
)
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    draw_choices,
    factor_range,
    value_limits,
)
from keras_fn.ops.arithmetic import clip, maximum, minimum
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.image.filters import gaussian_blur
from keras_fn.ops.image.sampling import sample_images
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import any as any_, greater_equal, less_equal, logical_and, where
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.reductions import amax, amin
from keras_fn.random import normal, uniform
from keras_fn.types import Nested, Tensor

_ASSUMED_SIZE = 512  # of images whose size is unknown in a graph: it limits the blur's kernel


class RandomElasticTransform(BaseGeometricTransform):
    """Random elastic transform: in training, displaces pixels by smooth random vectors.

    The vectors are normal random numbers that a Gaussian blur makes smooth. Boxes enclose the
    pixels that show their content.

    Args:
        factor: The limits of the probability with which an image is transformed, which is drawn
            for each image: one number `p` for `(0, p)`, or two, from 0 to 1.
        scale: The limits of the strength, which is drawn for each batch: one number `s` for
            `(0, s)`, or two, from 0 to 1. The displacement is scaled by a tenth of the longer side
            of the image; the blur's deviation is a twentieth of the shorter one.
        interpolation: `"nearest"` or `"bilinear"`. Masks are always sampled by the former.
        fill_mode: Pixels outside of an image `a b c`: `"reflect"` (`b a | a b c | c b`),
            `"mirror"` (`c b | a b c | b a`), `"wrap"` (`b c | a b c | a b`), `"constant"`
            (`fill_value`) or `"nearest"` (`a a | a b c | c c`).
        fill_value: The value outside where `fill_mode` is `"constant"`.
        value_range: The least and the greatest value of pixels, which are clipped to it.
        seed: An integer, for reproducible draws.
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
        >>> layer = keras.layers.RandomElasticTransform(scale=0.5)
        >>> layer(np.ones((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True

    References:
        Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied
        to visual document analysis", 2003.
    """

    def __init__(
        self,
        factor: float | tuple[float, float] = 1.0,
        scale: float | tuple[float, float] = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self.scale = factor_range(self, "scale", scale, (0.0, 1.0))
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_mode = one_of(self, "fill_mode", fill_mode, (*FILL_MODES, "mirror"))
        self.fill_value = fill_value
        self.value_range = value_limits(self, value_range)
        self._set_seed(seed)

    def _draw(self, batch: Any, height: Any, width: Any, seed: Any) -> dict[str, Any]:
        """Returns whom to transform, the strength, and the displacements of rows and columns."""
        applies = draw_choices(batch, self.factor, seed)
        strength = uniform((), *self.scale, dtype="float32", seed=seed)
        sizes = [n if isinstance(n, int) else _ASSUMED_SIZE for n in (height, width)]
        reach = int(6 * 0.05 * self.scale[1] * min(sizes)) | 1
        h, w = cast(height, "float32"), cast(width, "float32")
        alpha = 0.1 * strength * maximum(h, w)
        sigma = maximum(0.05 * strength * minimum(h, w), 0.05)  # a kernel needs a deviation
        vectors = normal((2, batch, height, width), dtype="float32", seed=seed)
        planes = reshape(vectors, (-1, height, width, 1))
        smooth = gaussian_blur(planes, (reach, reach), stack([sigma, sigma]), "channels_last")
        moves = reshape(smooth, (2, batch, height, width)) * (sigma * alpha)
        moves = moves * reshape(cast(applies, "float32"), (1, -1, 1, 1))
        return {"apply_transform": applies, "distortion_factor": strength, "displacement": moves}

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        """Returns the images, in the range of pixels."""
        images = self._warp(images, transformation, self.interpolation)
        return clip(images, *self.value_range)

    def _warp(self, images: Tensor, transformation: Nested, interpolation: str) -> Tensor:
        """Returns the displaced pixels, in their dtype."""
        moves = transformation["displacement"]

        def coordinates(rows: Tensor, columns: Tensor, dtype: str) -> tuple[Tensor, Tensor]:
            return rows + cast(moves[0], dtype), columns + cast(moves[1], dtype)

        channels_last = self.data_format == "channels_last"
        options = (self.fill_mode, self.fill_value, channels_last)
        return sample_images(images, coordinates, interpolation, *options)

    def _move_boxes(self, boxes: Tensor, transformation: Nested) -> Tensor:
        """Returns boxes around the pixels that show what is inside of the boxes."""
        moves = transformation["displacement"]
        _, _, height, width = shape_of(moves)
        rows, columns = (cast(arange(n), "float32") for n in (height, width))
        y = (reshape(rows, (-1, 1)) + 0.5 + moves[0])[:, None]
        x = (columns + 0.5 + moves[1])[:, None]
        x1, y1, x2, y2 = (boxes[..., i][..., None, None] for i in range(4))
        inside = logical_and(
            logical_and(greater_equal(x, x1), less_equal(x, x2)),
            logical_and(greater_equal(y, y1), less_equal(y, y2)),
        )
        (left, right), (top, bottom) = (
            _extent(any_(inside, axis=axis), indices)
            for axis, indices in ((-2, columns), (-1, rows))
        )
        return cast(stack([left, top, right, bottom], axis=-1), boxes.dtype)


def _extent(is_inside: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the first index that is inside, and the last one plus 1; both 0 if there is none."""
    last = amax(where(is_inside, indices + 1.0, 0.0), axis=-1)
    first = amin(where(is_inside, indices, 1e9), axis=-1)
    return minimum(first, last), last
