"""Images cut and padded."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op
from keras_fn.ops._types import Tensor
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.image._layout import axes_of, placed, replaced
from keras_fn.ops.indexing import getitem


def _two_of(who: str, names: tuple[str, str, str], values: tuple[Any, Any, Any]) -> None:
    """Refuses other than two of three numbers."""
    given = ", ".join(f"{n}={v}" for n, v in zip(names, values, strict=True) if v is not None)
    if sum(v is not None for v in values) != 2:
        raise SpecError(
            who, expected=f"two of {', '.join(names)}: the third follows",
            given=given or "none", fix="give two",
        )  # fmt: skip
    if any(v is not None and v < 0 for v in values):
        raise SpecError(who, expected="numbers of 0 or more", given=given, fix="check their signs")


def _fits(who: str, target: Any, size: Any, used: Any) -> None:
    if isinstance(used, int) and used < 0:
        raise SpecError(
            who, expected=f"sizes and margins that a size of {size} has room for"
            if who.endswith("crop_images") else f"a target that has room for a size of {size}",
            given=f"a target of {target}, and a margin of {used}",
            fix="check the target, and the margins",
        )  # fmt: skip


_CROP = "ops.image.crop_images"
_CROPPINGS = (
    ("top_cropping", "bottom_cropping", "target_height"),
    ("left_cropping", "right_cropping", "target_width"),
)


def _kept(size: Any, before: Any, after: Any, target: Any) -> tuple[Any, Any]:
    """Returns where what is kept begins, and its size; None if that depends on the unknown."""
    if target is None:
        target = None if size is None else size - before - after
    elif before is None:
        before = None if size is None else size - after - target
    after = None if None in (size, before, target) else size - before - target
    for margin in (before, after, target):
        _fits(_CROP, target, size, margin)
    return before, target


def _crop(
    images: Spec,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Spec:
    height, width, _ = axes_of(images, data_format, _CROP)
    rows = (top_cropping, bottom_cropping, target_height)
    columns = (left_cropping, right_cropping, target_width)
    sizes = {}
    for axis, names, values in zip((height, width), _CROPPINGS, (rows, columns), strict=True):
        _two_of(_CROP, names, values)
        sizes[axis] = _kept(images.shape[axis], *values)[1]
    return Spec(replaced(images.shape, sizes), dtypes.result_type(images.dtype))


@op(rule=Rule(_crop))
def crop_images(
    images: Tensor,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """A part of images. Of two margins and a target, for each axis, two are given.

    Args:
        images: Tensor of shape `(height, width, channels)`, or `(batch, height, width, channels)`,
            or with the channels before the sizes.
        top_cropping: Rows to leave out at the top.
        left_cropping: Columns to leave out on the left.
        bottom_cropping: Rows to leave out at the bottom.
        right_cropping: Columns to leave out on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Returns:
        The part of each image.

    Raises:
        ValueError: Other than two of three numbers are given, or they do not fit.

    Example:
        >>> x = ones((5, 6, 3))
        >>> options = dict(top_cropping=1, target_height=2, left_cropping=0, right_cropping=2)
        >>> ops.image.crop_images(x, **options, data_format="channels_last").shape == (2, 4, 3)
        True
    """
    height, width, _ = axes_of(images, data_format, _CROP)
    rows = (top_cropping, bottom_cropping, target_height)
    columns = (left_cropping, right_cropping, target_width)
    key: list[Any] = [slice(None)] * len(images.shape)
    for axis, names, values in zip((height, width), _CROPPINGS, (rows, columns), strict=True):
        _two_of(_CROP, names, values)
        start, size = _kept(shape_of(images)[axis], *values)
        key[axis] = slice(start, start + size)
    return getitem(images, tuple(key))


_PAD = "ops.image.pad_images"
_PADDINGS = (
    ("top_padding", "bottom_padding", "target_height"),
    ("left_padding", "right_padding", "target_width"),
)


def _widened(size: Any, before: Any, after: Any, target: Any) -> tuple[Any, Any]:
    """Returns the margin before, and the size with both; None if it depends on the unknown."""
    if target is None:
        target = None if size is None else before + size + after
    elif before is None:
        before = None if size is None else target - after - size
    after = None if None in (size, before) else target - before - size
    for margin in (before, after):
        _fits(_PAD, target, size, margin)
    return before, target


def _pad(
    images: Spec,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Spec:
    height, width, _ = axes_of(images, data_format, _PAD)
    rows = (top_padding, bottom_padding, target_height)
    columns = (left_padding, right_padding, target_width)
    sizes = {}
    for axis, names, values in zip((height, width), _PADDINGS, (rows, columns), strict=True):
        _two_of(_PAD, names, values)
        sizes[axis] = _widened(images.shape[axis], *values)[1]
    return Spec(replaced(images.shape, sizes), dtypes.result_type(images.dtype))


@op(rule=Rule(_pad))
def pad_images(
    images: Tensor,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images in a frame of zeros. Of two margins and a target, for each axis, two are given.

    Args:
        images: Tensor of shape `(height, width, channels)`, or `(batch, height, width, channels)`,
            or with the channels before the sizes.
        top_padding: Rows to add at the top.
        left_padding: Columns to add on the left.
        bottom_padding: Rows to add at the bottom.
        right_padding: Columns to add on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Returns:
        The framed images.

    Raises:
        ValueError: Other than two of three numbers are given, or they do not fit.

    Example:
        >>> x = ones((5, 6, 3))
        >>> options = dict(top_padding=1, target_height=9, left_padding=0, right_padding=2)
        >>> ops.image.pad_images(x, **options, data_format="channels_last").shape == (9, 8, 3)
        True
    """
    height, width, _ = axes_of(images, data_format, _PAD)
    rows = (top_padding, bottom_padding, target_height)
    columns = (left_padding, right_padding, target_width)
    x = images
    for axis, names, values in zip((height, width), _PADDINGS, (rows, columns), strict=True):
        _two_of(_PAD, names, values)
        x = placed(x, axis, *_widened(shape_of(images)[axis], *values), 0)
    return x
