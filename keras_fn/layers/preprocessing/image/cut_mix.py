"""CutMix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.errors import DTypeError
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._mixing import BaseMixing, draw_order
from keras_fn.layers.preprocessing.image._patches import draw_patches
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import factor_range
from keras_fn.ops.arithmetic import add, subtract
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.logic import where
from keras_fn.ops.math import sqrt
from keras_fn.ops.reductions import mean
from keras_fn.random import beta, uniform
from keras_fn.types import Nested, SeedLike, Tensor


class CutMix(BaseMixing):
    """CutMix: in training, replaces a rectangle of each image by that of another one of the batch.

    Labels are mixed with the fraction of the pixels that each of the two images contributes. The
    fraction that is kept is drawn for each image from a beta distribution, `Beta(a, a)`.

    Args:
        factor: The limits from 0 to 1 between which `a` is drawn for a batch: a pair, or a number
            `f` for `(0, f)`. Small numbers cut nearly nothing or nearly all.
        seed: An integer, for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: The arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels and segmentation masks. Labels
        are one-hot, `(batch, classes)`, or other floats. A single image stays as it is.

    Output shape:
        The same.

    Raises:
        ValueError: `factor` is out of bounds, or the labels are class indices.
        TypeError: There are bounding boxes.

    Example:
        >>> data = {"images": np.zeros((4, 8, 8, 3)), "labels": np.eye(4)}
        >>> mixed = keras.layers.CutMix(seed=1)(data)
        >>> convert_to_numpy(ops.sum(mixed["labels"], axis=1)).tolist()
        [1.0, 1.0, 1.0, 1.0]

    References:
        Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
        Features", 2019.
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        self._set_seed(seed)

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> dict[str, Tensor] | None:
        """Draws the rectangles of a batch, and where they come from; None at inference.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw.
            seed: The seed of the draws; by default the layer's generator.

        Returns:
            `"batch_masks"`, the pixels of the rectangles, of the shape of the images with one
            channel; `"permutation_order"`, the image that each is filled from, and `"mix_weight"`,
            the fraction of its own pixels that an image keeps, of shape `(batch,)`.
        """
        if not training:
            return None
        seed = self._seed(seed)
        sizes = self._batch_and_size(data)
        alpha = add(uniform((), *self.factor, dtype="float32", seed=seed), 1e-6)
        kept = beta((sizes[0],), alpha, alpha, dtype="float32", seed=seed)
        length = sqrt(subtract(1.0, kept))
        masks = draw_patches(sizes, (length, length), self._axes[:2], seed)
        return {
            "batch_masks": masks,
            "permutation_order": draw_order(sizes[0], seed),
            "mix_weight": subtract(1.0, mean(cast(masks, "float32"), axis=(1, 2, 3))),
        }

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        others = take(images, transformation["permutation_order"], axis=0)
        return where(transformation["batch_masks"], others, images)

    def transform_bounding_boxes(
        self, bounding_boxes: Nested, transformation: Nested, training: bool = True
    ) -> Nested:
        """Raises an error: what a rectangle leaves of a box is not known.

        Args:
            bounding_boxes: A dict of boxes and labels.
            transformation: Not used.
            training: Not used.

        Raises:
            TypeError: Always.
        """
        raise DTypeError(
            self._label,
            expected="data without bounding boxes",
            received="bounding_boxes",
            fix="use MixUp, which keeps the boxes of both images",
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Replaces the same rectangles in the segmentation masks of a batch.

        Args:
            segmentation_masks: The masks, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.

        Returns:
            Masks of the same dtype.
        """
        if not self._applies(transformation, training):
            return segmentation_masks
        key: list[Any] = [slice(None)] * 4
        key[self._axes[2]] = slice(0, 1)
        is_cut = getitem(transformation["batch_masks"], tuple(key))
        others = take(segmentation_masks, transformation["permutation_order"], axis=0)
        return cast(where(is_cut, others, segmentation_masks), dtype_of(segmentation_masks))
