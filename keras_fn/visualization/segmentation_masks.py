"""Segmentation masks drawn on images."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np

from keras_fn.core.host_text import to_host_values
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import standardize_data_format
from keras_fn.types import TensorLike
from keras_fn.visualization.image_gallery import MaskGalleryOptions, plot_titled
from keras_fn.visualization.pixels import check_color, check_mapping, to_layout, to_pixels, to_rgb

_GOLDEN_RATIO = 0.618034
_LIGHTNESS, _SATURATION = (0.5, 0.65, 0.38), (0.9, 0.6)  # of successive classes


def draw_segmentation_masks(
    images: TensorLike,
    segmentation_masks: TensorLike,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int | None = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Draws segmentation masks on images: each class has a color.

    Args:
        images: A batch of images, of shape `(batch, height, width, channels)` with 1, 3 or 4
            channels. The values are from 0 to 255, or from 0 to 1 for floats that are at most 1.
        segmentation_masks: The class of each pixel: integers of shape `(batch, height, width)`,
            with an axis of size 1 where the images have channels, or without. Class 0 is the
            background, which is drawn only if `color_mapping` has a color for it.
        num_classes: The largest class that is drawn. By default the largest one there is.
        color_mapping: Red, green and blue, from 0 to 255, of each class; classes without a color
            are not drawn. By default colors that are easy to tell apart.
        alpha: The opacity, from 0 to 1.
        blend: Whether to use `alpha`. If not, masks are opaque.
        ignore_index: A class that is not drawn.
        data_format: The axis of the channels: `"channels_last"` or `"channels_first"`; that of the
            config by default.

    Returns:
        The images with masks: a uint8 array of the shape of `images`, except that gray images
        become colored.

    Raises:
        ValueError: The images are not of rank 4, the masks do not fit them, or an argument is
            invalid.
        TypeError: The masks are not integers.

    Example:
        >>> masks = np.array([[[0, 1]]])
        >>> images = keras.visualization.draw_segmentation_masks(
        ...     np.full((1, 1, 2, 3), 100), masks, color_mapping={1: (200, 0, 0)}, alpha=0.5
        ... )
        >>> images[0, 0].tolist()
        [[100, 100, 100], [150, 50, 50]]
    """
    source = "draw_segmentation_masks"
    pixels = to_rgb(to_pixels(images, source, data_format))
    masks = _check_masks(segmentation_masks, source, data_format, pixels.shape[:3])
    if not isinstance(alpha, (int, float, np.number)) or not 0 <= alpha <= 1:
        raise SpecError(
            source,
            expected="alpha: a number from 0 to 1",
            received=f"alpha={alpha!r}",
            fix="for example alpha=0.5",
        )
    count = int(masks.max(initial=0)) if num_classes is None else num_classes
    if color_mapping is None:
        colors = {i: _make_color(i) for i in range(1, count + 1)}
    else:
        given = check_mapping(color_mapping, source, "color_mapping")
        colors = {int(i): check_color(c, source, "color_mapping") for i, c in given.items()}
    opacity = alpha if blend else 1
    for index, color in colors.items():
        if 0 <= index <= count and index != ignore_index:
            drawn = masks == index
            rgb = pixels[..., :3]  # a view: the fourth channel stays
            rgb[drawn] = np.rint(rgb[drawn] * (1 - opacity) + np.multiply(color, opacity))
    return to_layout(pixels, data_format)


def _check_masks(
    masks: Any, source: str, data_format: str | None, shape: tuple[int, ...]
) -> np.ndarray:
    """Returns masks of the shape `(batch, height, width)`."""
    array = np.asarray(to_host_values(masks))
    if array.dtype.kind not in "iub":
        raise DTypeError(
            source,
            expected="segmentation_masks: integers, the class of each pixel",
            received=f"dtype {array.dtype}",
            fix="take the argmax over the axis of the classes, or cast them to integers",
        )
    axis = 1 if standardize_data_format(data_format) == "channels_first" else -1
    if array.ndim == 4 and array.shape[axis] == 1:
        array = array.squeeze(axis)
    if array.shape != shape:
        raise SpecError(
            source,
            expected=f"segmentation_masks of shape {shape}, as the images",
            received=f"shape {np.shape(masks)}",
            fix="pass one class for each pixel, with the batch axis",
        )
    return array


def _make_color(index: int) -> tuple[int, int, int]:
    """Returns a color for a class, far from those of other classes."""
    hue = (index - 1) * _GOLDEN_RATIO % 1  # class 1 is red
    lightness = _LIGHTNESS[index % len(_LIGHTNESS)]
    rgb = colorsys.hls_to_rgb(hue, lightness, _SATURATION[index % len(_SATURATION)])
    return tuple(round(255 * value) for value in rgb)  # pyright: ignore[reportReturnType]


def plot_segmentation_mask_gallery(
    images: TensorLike,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: TensorLike | None = None,
    y_pred: TensorLike | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int | None = -1,
    data_format: str | None = None,
    **kwargs: Unpack[MaskGalleryOptions],
) -> None:
    """Plots a row for each image: the image, its mask, and the predicted mask.

    Args:
        images: A batch of images, of shape `(batch, height, width, channels)`.
        num_classes: The largest class that is drawn.
        value_range: The values of black and white.
        y_true: The masks of the targets, as in `draw_segmentation_masks`.
        y_pred: The predicted masks, as in `draw_segmentation_masks`.
        color_mapping: Red, green and blue of each class.
        blend: Whether to use `alpha`. If not, masks are opaque.
        alpha: The opacity, from 0 to 1.
        ignore_index: A class that is not drawn.
        data_format: The axis of the channels: `"channels_last"` or `"channels_first"`; that of the
            config by default.
        **kwargs: Further arguments of `plot_image_gallery`, as `path`.

    Raises:
        ValueError: The images are not of rank 4, the masks do not fit them, or an argument is
            invalid.
        ImportError: Matplotlib is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "masks.png")
        >>> masks = np.ones((2, 32, 32), int)
        >>> keras.visualization.plot_segmentation_mask_gallery(
        ...     np.zeros((2, 32, 32, 3)), 1, y_true=masks, path=path
        ... )
        >>> path.exists()
        True
    """
    pixels = to_rgb(to_pixels(images, "plot_segmentation_mask_gallery", data_format, value_range))
    columns = {"Image": pixels}
    for title, masks in (("Ground truth", y_true), ("Prediction", y_pred)):
        if masks is not None:
            array = _to_integers(to_host_values(masks))
            if standardize_data_format(data_format) == "channels_first" and array.ndim == 4:
                array = array.transpose(0, 2, 3, 1)
            columns[title] = draw_segmentation_masks(
                pixels,
                array,
                num_classes,
                color_mapping,
                alpha,
                blend,
                ignore_index,
                data_format="channels_last",
            )
    return plot_titled(columns, **kwargs)


def _to_integers(array: Any) -> np.ndarray:
    """Casts floats to integers: predictions may have the dtype of the model."""
    array = np.asarray(array)
    return array.astype(np.int32) if array.dtype.kind == "f" else array
