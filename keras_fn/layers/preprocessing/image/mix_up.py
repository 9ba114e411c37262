"""Mixup."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import ImageLayerOptions
from keras_fn.layers.preprocessing.image._mixing import BaseMixing, draw_order, mix
from keras_fn.layers.preprocessing.image.base_color_transform import BaseColorTransform
from keras_fn.ops.core import cast
from keras_fn.ops.indexing import take
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.random import beta
from keras_fn.types import Nested, Tensor


class MixUp(BaseMixing, BaseColorTransform):
    """Mixup: in training, blends each image and its label with another one of the batch.

    With `w` drawn from a beta distribution, `Beta(alpha, alpha)`, for each image, both become
    `w * x + (1 - w) * other`. An image gets the bounding boxes of both.

    Args:
        alpha: The parameter of the beta distribution, above 0. Small numbers blend little.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        seed: An integer, for reproducible draws.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks. Labels and masks are one-hot, or other floats.

    Output shape:
        The same; twice as many bounding boxes.

    Raises:
        ValueError: `alpha` is not above 0, or the labels are class indices.

    Example:
        >>> data = {"images": np.zeros((4, 8, 8, 3)), "labels": np.eye(4)}
        >>> mixed = keras.layers.MixUp(seed=1)(data)
        >>> mixed["images"].shape == (4, 8, 8, 3), mixed["labels"].shape == (4, 4)
        (True, True)

    References:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2017;
        Zhang et al., "Bag of Freebies for Training Object Detection Neural Networks", 2019.
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(alpha, (int, float)) or alpha <= 0:
            raise argument_error(self, "alpha", "a number above 0", alpha, "for example alpha=0.2")
        self.alpha = alpha
        self._set_seed(seed)

    def _draw(self, batch: Any, seed: Any) -> dict[str, Tensor]:
        """Returns `"permutation_order"` and `"mix_weight"`, of shape `(batch,)`.

        These are the image that each is mixed with, and the weight of the image itself.
        """
        return {
            "permutation_order": draw_order(batch, seed),
            "mix_weight": beta((batch,), self.alpha, self.alpha, dtype="float32", seed=seed),
        }

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        return mix(images, transformation["permutation_order"], transformation["mix_weight"])

    def transform_bounding_boxes(
        self, bounding_boxes: Nested, transformation: Nested, training: bool = True
    ) -> Nested:
        """Joins the boxes of the images that are mixed.

        Args:
            bounding_boxes: A dict of boxes and labels.
            transformation: What `get_random_transformation` returned.
            training: Whether to mix.

        Returns:
            The dict, with twice as many boxes for each image.
        """
        if not self._applies(transformation, training):
            return bounding_boxes
        order = transformation["permutation_order"]
        return {
            key: concatenate([x, take(x, order, axis=0)], axis=1)
            for key, x in bounding_boxes.items()
        }

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Nested = None, training: bool = True
    ) -> Any:
        """Mixes the segmentation masks of a batch: one-hot or binary ones.

        Args:
            segmentation_masks: The masks, of rank 4.
            transformation: What `get_random_transformation` returned.
            training: Whether to mix.

        Returns:
            Floats: for each pixel the share of each class.
        """
        if not self._applies(transformation, training):
            return segmentation_masks
        masks = cast(segmentation_masks, "float32")
        return mix(masks, transformation["permutation_order"], transformation["mix_weight"])
