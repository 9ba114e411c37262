"""AugMix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.core.tracing import is_dynamo_compiling
from keras_fn.layers._arguments import argument_error, check_flag, one_of, positive_int
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
from keras_fn.ops.arithmetic import add, clip, divide, multiply, subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.linalg.products import tensordot
from keras_fn.ops.manipulation import repeat as repeat_elements, reshape, tile
from keras_fn.ops.reductions import sum as sum_
from keras_fn.random import beta, gamma, randint
from keras_fn.types import Nested, SeedLike, Tensor

_ALWAYS = (
    "random_shear",
    "random_translation",
    "random_rotation",
    "random_posterization",
    "solarization",
    "auto_contrast",
    "equalization",
)
_OTHERS = (
    "random_brightness",
    "random_color_degeneration",
    "random_contrast",
    "random_sharpness",
)


class AugMix(BaseRandomPolicy):
    """AugMix: in training, blends images with a mixture of themselves, transformed in chains.

    Each chain applies a few image layers that are chosen at random: the same ones for all images of
    a batch, with numbers drawn for each image. The results of the chains are averaged with weights
    from a Dirichlet distribution, and the average is blended with the image, with a weight from a
    beta distribution.

    Args:
        value_range: The least and the greatest value of a pixel.
        num_chains: The number of chains.
        chain_depth: The greatest number of layers in a chain.
        factor: The strength of the layers: a pair of limits from 0 to 1, or a number `f` for
            `(0, f)`.
        alpha: The parameter of both distributions, above 0.
        all_ops: Whether layers are also chosen among brightness, color degeneration, contrast and
            sharpness; else only among shear, translation, rotation, posterization, solarization,
            autocontrast and equalization.
        interpolation: Of shear, translation and rotation: `"nearest"` or `"bilinear"`.
        seed: An integer, for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        **kwargs: `bounding_box_format`, and the arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height, of 1 or 3 channels; or a dict of images, labels, bounding
        boxes and segmentation masks. Masks are one-hot or binary, and become floats. Bounding boxes
        stay as they are.

    Output shape:
        The same.

    Raises:
        ValueError: A number is out of bounds, `value_range` is not one, or the images have another
            number of channels.

    Example:
        >>> layer = keras.layers.AugMix(value_range=(0, 1), num_chains=2, chain_depth=1, seed=3)
        >>> layer(np.zeros((2, 8, 8, 3))).shape == (2, 8, 8, 3)
        True

    References:
        Hendrycks et al., "AugMix: A Simple Data Processing Method to Improve Robustness and
        Uncertainty", 2019.
    """

    _channels = (1, 3)

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: float | Sequence[float] = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[ImageLayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_limits(self, value_range)
        self.num_chains = positive_int(self, "num_chains", num_chains)
        self.chain_depth = positive_int(self, "chain_depth", chain_depth)
        self.factor = factor_range(self, "factor", factor, (0.0, 1.0))
        if not isinstance(alpha, (int, float)) or alpha <= 0:
            raise argument_error(self, "alpha", "a number above 0", alpha, "for example alpha=1.0")
        self.alpha = alpha
        self.all_ops = check_flag(self, "all_ops", all_ops)
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self._set_seed(seed)
        self._names = (*_ALWAYS, *_OTHERS) if self.all_ops else _ALWAYS
        self._make_layers(self.factor, self.value_range, self.interpolation)

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> dict[str, Any] | None:
        """Draws the chains and their weights; None at inference.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw.
            seed: The seed of the draws; by default the layer's generator.

        Returns:
            `"chain_mixing_weights"`, of shape `(num_chains,)`; `"weight_sample"`, the weight of the
            images, a scalar; `"layer_idxes"`, the indices of the layers (the one past the last is
            none), of shape `(num_chains, chain_depth)`; `"keys"`, the keys of their draws;
            `"images"`, the images.
        """
        if not training:
            return None
        seed = self._seed(seed)
        steps = (self.num_chains, self.chain_depth)
        shares = gamma((self.num_chains,), self.alpha, dtype="float32", seed=seed)
        return {
            "chain_mixing_weights": divide(shares, sum_(shares)),
            "weight_sample": beta((), self.alpha, self.alpha, dtype="float32", seed=seed),
            "layer_idxes": randint(steps, 0, len(self._names) + 1, seed=seed),
            "keys": self._draw_keys(steps, seed),
            "images": images_of(data),
        }

    def _mix_chains(self, part: str, transformation: Any, images: Tensor) -> Tensor:
        """Returns the blend of images (or masks) and the average of the chains."""
        weights = cast(transformation["chain_mixing_weights"], images.dtype)
        if "chain_transforms" in transformation:  # in the form of Keras
            average = zeros_like(images)
            for i, steps in enumerate(transformation["chain_transforms"]):
                chain = self._apply_named(part, steps, images)
                average = add(average, multiply(chain, at(weights, i)))
        elif is_dynamo_compiling():
            average = self._average_at_once(part, transformation, images, weights)
        else:
            average = repeat(
                self.num_chains,
                lambda i, total: add(
                    total,
                    multiply(self._chain(part, transformation, i, images), at(weights, i)),
                ),
                zeros_like(images),
            )
        weight = cast(transformation["weight_sample"], images.dtype)
        return add(multiply(images, weight), multiply(average, subtract(1.0, weight)))

    def _chain(self, part: str, transformation: Any, i: Any, images: Tensor) -> Tensor:
        """Returns the result of a chain."""
        indices, keys = transformation["layer_idxes"], transformation["keys"]

        def step(j: Any, value: Tensor) -> Tensor:
            drawn_for = transformation["images"]
            return self._apply(part, at(indices, i, j), at(keys, i, j), drawn_for, value)

        return repeat(self.chain_depth, step, images)

    def _apply_named(self, part: str, steps: Any, images: Tensor) -> Tensor:
        """Applies layers by name, with their transformations."""
        for step in steps:
            layer = getattr(self, step["layer_name"])
            images = transform_part(layer, part, images, step["transformation"])
        return images

    def _average_at_once(
        self, part: str, transformation: Any, images: Tensor, weights: Tensor
    ) -> Tensor:
        """Returns the average of the chains, computed as one batch: graphs without branches."""
        indices, keys = transformation["layer_idxes"], transformation["keys"]
        batch = shape_of(images)[0]
        ones = (1,) * 3
        many = tile(images, (self.num_chains, *ones))
        drawn_for = tile(transformation["images"], (self.num_chains, *ones))
        for j in range(self.chain_depth):
            index = repeat_elements(indices[:, j], batch)
            many = self._apply(part, index, keys[0, j], drawn_for, many)
        chains = reshape(many, (self.num_chains, -1, *shape_of(images)[1:]))
        return tensordot(weights, chains, 1)

    def _transform_images(self, images: Tensor, transformation: Nested) -> Tensor:
        mixed = self._mix_chains("images", transformation, images)
        return clip(mixed, *self.value_range)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Nested = None, training: bool = True
    ) -> Tensor:
        """Transforms the segmentation masks of a batch as the images.

        Args:
            segmentation_masks: The masks, of rank 4: one-hot or binary.
            transformation: What `get_random_transformation` returned.
            training: Whether to transform.

        Returns:
            Floats: for each pixel the share of each class.
        """
        if not self._applies(transformation, training):
            return segmentation_masks
        masks = cast(segmentation_masks, "float32")
        return self._mix_chains("segmentation_masks", transformation, masks)
