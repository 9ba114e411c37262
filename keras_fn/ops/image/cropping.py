"""Cropping and padding of images."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.image._data_format import axes_of, pad_axis, replace_sizes
from keras_fn.ops.indexing import getitem
from keras_fn.types import Tensor, TensorLike


def _check_two_of(source: str, names: tuple[str, str, str], values: tuple[Any, Any, Any]) -> None:
    """Raises unless two of three numbers are given."""
    received = ", ".join(f"{n}={v}" for n, v in zip(names, values, strict=True) if v is not None)
    if sum(v is not None for v in values) != 2:
        raise SpecError(
            source,
            expected=f"two of {', '.join(names)}: the third is implied",
            received=received or "none",
            fix="pass two",
        )
    if any(v is not None and v < 0 for v in values):
        raise SpecError(
            source, expected="numbers of 0 or more", received=received, fix="check their signs"
        )


def _check_size(source: str, target: Any, size: Any, used: Any) -> None:
    if isinstance(used, int) and used < 0:
        raise SpecError(
            source,
            expected=f"sizes and margins within a size of {size}"
            if source.endswith("crop_images")
            else f"a target of at least the size {size}",
            received=f"a target of {target}, and a margin of {used}",
            fix="check the target, and the margins",
        )


_CROP, _PAD = "ops.image.crop_images", "ops.image.pad_images"


def _split(source: str, whole: Any, before: Any, part: Any, after: Any) -> tuple[Any, Any, Any]:
    """Solves `whole = before + part + after`. Returns the first three; None where unknown."""
    if sum(x is None for x in (whole, before, part, after)) == 1:
        if whole is None:
            whole = before + part + after
        elif before is None:
            before = whole - part - after
        elif part is None:
            part = whole - before - after
        else:
            after = whole - before - part
    target, size = (part, whole) if source == _CROP else (whole, part)
    for used in (before, part, after):
        _check_size(source, target, size, used)
    return whole, before, part


def _resolve_margins(
    source: str, images: Any, sizes: Any, data_format: str | None, rows: Any, columns: Any
) -> list[tuple[int, Any, Any]]:
    """Returns, for height and width, the axis, the margin before, and the size of the result."""
    crops = source == _CROP
    kind = "cropping" if crops else "padding"
    height, width, _ = axes_of(images, data_format, source)
    parts = []
    for axis, (first, last, size), values in (
        (height, ("top", "bottom", "height"), rows),
        (width, ("left", "right", "width"), columns),
    ):
        _check_two_of(source, (f"{first}_{kind}", f"{last}_{kind}", f"target_{size}"), values)
        before, after, target = values
        whole, part = (sizes[axis], target) if crops else (target, sizes[axis])
        whole, before, part = _split(source, whole, before, part, after)
        parts.append((axis, before, part if crops else whole))
    return parts


def _crop(
    images: TensorSpec,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> TensorSpec:
    rows = (top_cropping, bottom_cropping, target_height)
    columns = (left_cropping, right_cropping, target_width)
    parts = _resolve_margins(_CROP, images, images.shape, data_format, rows, columns)
    sizes = {axis: size for axis, _, size in parts}
    return TensorSpec(replace_sizes(images.shape, sizes), dtypes.result_type(images.dtype))


@op(rule=Rule(_crop))
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Crops images.

    Of the two margins and the target size of an axis, exactly two are given.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height.
        top_cropping: Number of rows to remove at the top.
        left_cropping: Number of columns to remove at the left.
        bottom_cropping: Number of rows to remove at the bottom.
        right_cropping: Number of columns to remove at the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the dtype of `images`, with the target height and width.

    Raises:
        ValueError: Not exactly two of three numbers are given, or they exceed the image.

    Example:
        >>> x = ones((5, 6, 3))
        >>> options = dict(top_cropping=1, target_height=2, left_cropping=0, right_cropping=2)
        >>> ops.image.crop_images(x, **options, data_format="channels_last").shape == (2, 4, 3)
        True
    """
    rows = (top_cropping, bottom_cropping, target_height)
    columns = (left_cropping, right_cropping, target_width)
    key: list[Any] = [slice(None)] * len(shape_of(images))
    for axis, start, size in _resolve_margins(
        _CROP, images, shape_of(images), data_format, rows, columns
    ):
        key[axis] = slice(start, start + size)
    return getitem(images, tuple(key))


def _pad(
    images: TensorSpec,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> TensorSpec:
    rows = (top_padding, bottom_padding, target_height)
    columns = (left_padding, right_padding, target_width)
    parts = _resolve_margins(_PAD, images, images.shape, data_format, rows, columns)
    sizes = {axis: size for axis, _, size in parts}
    return TensorSpec(replace_sizes(images.shape, sizes), dtypes.result_type(images.dtype))


@op(rule=Rule(_pad))
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Pads images with zeros.

    Of the two margins and the target size of an axis, exactly two are given.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height.
        top_padding: Number of rows to add at the top.
        left_padding: Number of columns to add at the left.
        bottom_padding: Number of rows to add at the bottom.
        right_padding: Number of columns to add at the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the dtype of `images`, with the target height and width.

    Raises:
        ValueError: Not exactly two of three numbers are given, or the target is too small.

    Example:
        >>> x = ones((5, 6, 3))
        >>> options = dict(top_padding=1, target_height=9, left_padding=0, right_padding=2)
        >>> ops.image.pad_images(x, **options, data_format="channels_last").shape == (9, 8, 3)
        True
    """
    rows = (top_padding, bottom_padding, target_height)
    columns = (left_padding, right_padding, target_width)
    x: Any = images
    for axis, before, size in _resolve_margins(
        _PAD, images, shape_of(images), data_format, rows, columns
    ):
        x = pad_axis(x, axis, before, size, 0)
    return x
