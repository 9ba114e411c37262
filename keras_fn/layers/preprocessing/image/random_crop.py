"""Random crop of images."""

from __future__ import annotations

from typing import Any, Unpack

from keras_fn.layers._options import UnnamedImageLayerOptions
from keras_fn.layers.preprocessing.image.base_crop import BaseCrop
from keras_fn.layers.preprocessing.image.base_image_preprocessing_layer import images_of
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.random import uniform
from keras_fn.types import Nested, SeedLike


class RandomCrop(BaseCrop):
    """Random crop: in training, cuts a window at a random place out of a batch of images.

    The place is the same for all images of a batch. At inference, and of images that are smaller
    than the result, the largest window of the result's aspect ratio is resized to it.

    Args:
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        seed: An integer, for reproducible draws.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        name: The name of the layer.
        **kwargs: `bounding_box_format`, the format of bounding boxes, such as `"xyxy"`, and the
            arguments of all layers.

    Input shape:
        A tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`, or with
        the channels before the height; or a dict of images, labels, bounding boxes and
        segmentation masks.

    Output shape:
        The same, with the new height and width.

    Raises:
        ValueError: An argument is not one of these values.

    Example:
        >>> layer = keras.layers.RandomCrop(4, 5, data_format="channels_last")
        >>> layer(np.ones((2, 8, 8, 3))).shape == (2, 4, 5, 3)
        True
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedImageLayerOptions],
    ):
        super().__init__(height, width, data_format, name=name, **kwargs)
        self._set_seed(seed)

    def get_random_transformation(
        self, data: Nested, training: bool = True, seed: SeedLike = None
    ) -> Nested:
        """Draws the window of a batch, for the `transform_*` methods.

        Args:
            data: Images, or a dict of images and what belongs to them.
            training: Whether to draw; else the window is in the center.
            seed: The seed of the draws; by default the layer's generator.

        Returns:
            A dict of `"top"`, `"left"`, `"crop_height"`, `"crop_width"` and `"input_shape"`.
        """
        if training:
            return super().get_random_transformation(data, training, seed)
        _, height, width = self._batch_and_size(data)
        return {**self._largest_window(height, width), "input_shape": shape_of(images_of(data))}

    def _place(self, height: Any, width: Any, seed: Any) -> tuple[Any, Any]:
        """Draws the first row and column."""
        places = []
        for n, size in ((height, self.height), (width, self.width)):
            count = cast(n - size + 1, "float32")
            places.append(cast(uniform((), 0.0, count, dtype="float32", seed=seed), "int32"))
        return places[0], places[1]
