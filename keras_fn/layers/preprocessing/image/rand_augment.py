"""RandAugment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._arguments import one_of, positive_int
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import (
    factor_range,
    images_of,
    value_limits,
)
from keras_fn.layers.preprocessing.image.base_random_policy import (
    BaseRandomPolicy,
    at,
    repeat,
    transform_part,
)
from keras_fn.ops.core import cast, convert_to_tensor
from keras_fn.random import randint
from keras_fn.types import Nested, SeedLike, Tensor


class RandAugment(BaseRandomPolicy):
    """RandAugment: in training, applies a few image layers that are chosen at random.

    They are chosen among shear, translation, rotation, brightness, color degeneration, contrast,
    sharpness, posterization, solarization, autocontrast and equalization: the same ones for all
    images of a batch, with numbers drawn for each image.

    Args:
        value_range: The least and the greatest value of a pixel.
        num_ops: How many layers are applied, one after the other.
        factor: The strength of the layers: a pair of limits from 0 to 1, or a number `f` for
            `(0, f)`.
        interpolation: Of shear, translation and rotation: `"nearest"` or `"bilinear"`.
        seed: An integer, for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height, of 1 or 3 channels; or a dict of images, labels, bounding
        boxes and segmentation masks.

    Output shape:
        The same.

    Raises:
        ValueError: `num_ops` is not a positive integer, `factor` is out of bounds, `value_range` is
            not one, or the images have another number of channels.

    Example:
        >>> layer = keras.layers.RandAugment(value_range=(0, 1), num_ops=1, seed=3)
        >>> layer(np.zeros((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True

    References:
        Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced search
        space", 2019.
    """

    _channels = (1, 3)
    _moves_boxes = True
    _names = (
        "random_shear",
        "random_translation",
        "random_rotation",
        "random_brightness",
        "random_color_degeneration",
        "random_contrast",
        "random_sharpness",
        "random_posterization",
        "solarization",
        "auto_contrast",
        "equalization",
    )

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_ops: int = 2,
        factor: float | Sequence[float] = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_limits(self, value_range)
        self.num_ops = positive_int(self, "num_ops", num_ops)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self._set_seed(seed)
        self._make_layers(self.factor, self.value_range, self.interpolation)

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> dict[str, Any] | None:
        """Draws which layers are applied, and the keys of their draws; None at inference.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw.
            seed: The seed of the draws; by default the layer's generator.

        Returns:
            `"layer_idxes"`, the indices of the layers, of shape `(num_ops,)`; `"keys"`, of shape
            `(num_ops, 2)`; `"images"`, the images.
        """
        if not training:
            return None
        seed = self._seed(seed)
        return {
            "layer_idxes": randint((self.num_ops,), 0, len(self._names), seed=seed),
            "keys": self._draw_keys((self.num_ops,), seed),
            "images": images_of(data),
        }

    def _apply_all(self, part: str, transformation: Any, value: Any) -> Any:
        indices = transformation["layer_idxes"]
        if "transforms" in transformation:  # in the form of Keras
            for i in range(self.num_ops):
                name = self._names[int(indices[i])]
                drawn = transformation["transforms"][name]
                value = transform_part(getattr(self, name), part, value, drawn)
            return value
        keys, images = transformation["keys"], transformation["images"]

        def step(i: Any, value: Any) -> Any:
            return self._apply(part, at(indices, i), at(keys, i), images, value)

        return repeat(self.num_ops, step, value)

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return self._apply_all("images", transformation, images)

    def transform_bounding_boxes(
        self, bounding_boxes: Nested, transformation: Nested, training: bool = True
    ) -> Nested:
        """Transforms the bounding boxes of a batch.

        Args:
            bounding_boxes: A dict of boxes and labels.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.
        """
        if not self._applies(transformation, training):
            return bounding_boxes
        boxes = {key: convert_to_tensor(x) for key, x in bounding_boxes.items()}
        boxes["boxes"] = cast(boxes["boxes"], "float32")
        return self._apply_all("bounding_boxes", transformation, boxes)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Transforms the segmentation masks of a batch.

        Args:
            segmentation_masks: The masks, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.
        """
        if not self._applies(transformation, training):
            return segmentation_masks
        masks = convert_to_tensor(segmentation_masks)
        return self._apply_all("segmentation_masks", transformation, masks)
