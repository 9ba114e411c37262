"""Bounding boxes: formats, clipping, geometric transforms, overlap, and regression targets.

The public functions are those of `keras.utils.bounding_boxes`. They also run on symbolic tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_fn.core.dtypes import is_float
from keras_fn.errors import SpecError, check_choice
from keras_fn.ops.arithmetic import clip, maximum
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of
from keras_fn.ops.joining_splitting import concatenate, stack
from keras_fn.ops.logic import greater, where
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import exp, log
from keras_fn.ops.reductions import amax, amin
from keras_fn.ops.trigonometric import cos, sin, tan
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Nested, Tensor, TensorLike

FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)
"""`xyxy` are left, top, right and bottom; `w` and `h` width and height, after the left top corner
or the center; with `rel_`, as fractions of the size of the image."""

_ENCODINGS = ("center_xywh", "center_yxhw")


def _to_boxes(source: str, boxes: Any, form: str) -> Any:
    """Returns boxes as a tensor. Integers become floats if the format has halves: centers."""
    tensor = convert_to_tensor(boxes)
    _check_boxes(source, tensor)
    keeps_dtype = is_float(dtype_of(tensor)) or "center" not in form
    return tensor if keeps_dtype else cast(tensor, settings.floatx)


def columns_of(boxes: Any) -> tuple[Any, ...]:
    """Returns the four numbers of each box, as tensors of shape `(..., 1)`."""
    return tuple(boxes[..., i : i + 1] for i in range(4))


def _to_corners(boxes: Any, form: str) -> tuple[Any, ...]:
    """Returns left, top, right and bottom, of a format without `rel_`."""
    a, b, c, d = columns_of(boxes)
    if form.removeprefix("center_").startswith("y"):
        a, b, c, d = b, a, d, c
    if form.endswith("xyxy") or form.endswith("yxyx"):
        return a, b, c, d
    if form.startswith("center_"):
        return a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0
    return a, b, a + c, b + d


def _from_corners(corners: tuple[Any, ...], form: str) -> Tensor:
    left, top, right, bottom = corners
    a, b, c, d = left, top, right, bottom
    if form.endswith(("wh", "hw")):
        c, d = right - left, bottom - top
        if form.startswith("center_"):
            a, b = left + c / 2.0, top + d / 2.0
    if form.removeprefix("center_").startswith("y"):
        a, b, c, d = b, a, d, c
    return concatenate([a, b, c, d], axis=-1)


def _check_boxes(source: str, boxes: Any) -> None:
    shape = tuple(boxes.shape)
    if not shape or shape[-1] not in (4, None):
        raise SpecError(
            source,
            expected="boxes with four numbers along the last axis",
            received=f"shape {shape}",
            fix="pass boxes of shape (..., 4)",
        )


def _required_size(source: str, purpose: str, height: Any, width: Any) -> tuple[Any, Any]:
    """Returns the height and the width of an image, if both were passed."""
    if height is None or width is None:
        raise SpecError(
            source,
            expected=f"the height and the width of the image, {purpose}",
            received=f"height={height}, width={width}",
            fix="pass height= and width=",
        )
    return height, width


def check_format(source: str, name: str, form: Any, formats: Sequence[str] = FORMATS) -> str:
    """Returns the name of a format in lower case, if it is one."""
    form = form.lower() if isinstance(form, str) else form
    return check_choice(source, name, form, tuple(formats))


def convert_format(
    boxes: Nested,
    source: str,
    target: str,
    height: TensorLike | None = None,
    width: TensorLike | None = None,
    dtype: DTypeLike = "float32",
) -> Nested:
    """Converts bounding boxes from one format to another.

    Args:
        boxes: Tensor of shape `(..., 4)`, or a dict whose entry `"boxes"` is one.
        source: Format of the boxes: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`,
            `"center_yxhw"`, `"rel_xyxy"`, `"rel_yxyx"`, `"rel_xywh"` or `"rel_center_xywh"`.
        target: Format of the result.
        height: Height of the image in pixels; required between a relative and an absolute format.
        width: Width of the image in pixels.
        dtype: A float dtype, in which the boxes are returned.

    Returns:
        A tensor of the same shape; of a dict, a copy with other boxes.

    Raises:
        ValueError: A format is not one of these, the boxes are not of shape `(..., 4)`, or the
            size of the image is missing.

    Example:
        >>> boxes = np.array([[10.0, 20.0, 30.0, 60.0]])
        >>> y = keras.utils.bounding_boxes.convert_format(boxes, "xyxy", "xywh")
        >>> convert_to_numpy(y).tolist()
        [[10.0, 20.0, 20.0, 40.0]]
    """
    name = "bounding_boxes.convert_format"
    if isinstance(boxes, Mapping):
        converted = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": converted}
    source, target = check_format(name, "source", source), check_format(name, "target", target)
    boxes = cast(convert_to_tensor(boxes), dtype)
    _check_boxes(name, boxes)
    if source == target:
        return boxes
    relative = [form.startswith("rel_") for form in (source, target)]
    corners = _to_corners(boxes, source.removeprefix("rel_"))
    if relative[0] != relative[1]:
        size = _required_size(name, f"from {source} to {target}", height, width)
        h, w = (cast(n, dtype) for n in size)
        sizes = (w, h, w, h)
        pairs = zip(corners, sizes, strict=True)
        corners = tuple(c * n if relative[0] else c / n for c, n in pairs)
    return _from_corners(corners, target.removeprefix("rel_"))


def clip_to_image_size(
    bounding_boxes: Mapping[str, Nested],
    height: TensorLike | None = None,
    width: TensorLike | None = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Nested]:
    """Clips bounding boxes to the image. The labels of boxes without area become -1.

    Args:
        bounding_boxes: Dict with `"boxes"`, of shape `(boxes, 4)` or `(batch, boxes, 4)`, and
            optionally `"labels"`, of shape `(boxes,)` or `(batch, boxes)`.
        height: Height of the image in pixels; required unless the format is relative.
        width: Width of the image in pixels.
        bounding_box_format: Format of the boxes (see `convert_format`).

    Returns:
        A copy of the dict with other boxes and labels.

    Raises:
        ValueError: The format is unknown, or the size of the image is missing.

    Example:
        >>> boxes = {"boxes": np.array([[-4.0, 2.0, 6.0, 9.0]]), "labels": np.array([1])}
        >>> y = keras.utils.bounding_boxes.clip_to_image_size(boxes, height=8, width=8)
        >>> convert_to_numpy(y["boxes"]).tolist()
        [[0.0, 2.0, 6.0, 8.0]]
    """
    name = "bounding_boxes.clip_to_image_size"
    form = check_format(name, "bounding_box_format", bounding_box_format)
    boxes = _to_boxes(name, bounding_boxes["boxes"], form)
    size = (1.0, 1.0)
    if not form.startswith("rel_"):
        size = _required_size(name, f"for the format {form}", height, width)
    corners = _to_corners(boxes, form.removeprefix("rel_"))
    h, w = (_like(n, boxes) for n in size)
    left, top, right, bottom = (
        clip(corner, 0, n) for corner, n in zip(corners, (w, h, w, h), strict=True)
    )
    clipped = _from_corners((left, top, right, bottom), form.removeprefix("rel_"))
    result: dict[str, Nested] = {**bounding_boxes, "boxes": clipped}
    if bounding_boxes.get("labels") is not None:
        labels = convert_to_tensor(bounding_boxes["labels"])
        has_area = greater((right - left) * (bottom - top), 0)
        if len(labels.shape) < len(boxes.shape):
            has_area = has_area[..., 0]
        result["labels"] = where(has_area, labels, cast(-1, labels.dtype))
    return result


def _absolute(source: str, form: Any) -> str:
    formats = [f for f in FORMATS if not f.startswith("rel_")]
    return check_format(source, "bounding_box_format", form, formats)


def crop(
    boxes: TensorLike,
    top: TensorLike,
    left: TensorLike,
    height: TensorLike,
    width: TensorLike,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Moves bounding boxes along with a crop of the image, and clips them to it.

    Args:
        boxes: Tensor of shape `(..., 4)`.
        top: First row of the crop.
        left: First column of the crop.
        height: Height of the crop in pixels.
        width: Width of the crop in pixels.
        bounding_box_format: An absolute format of the boxes (see `convert_format`).

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: The format is relative or unknown.

    Example:
        >>> boxes = np.array([[10.0, 20.0, 30.0, 60.0]])
        >>> y = keras.utils.bounding_boxes.crop(boxes, top=30, left=5, height=20, width=20)
        >>> convert_to_numpy(y).tolist()
        [[5.0, 0.0, 20.0, 20.0]]
    """
    name = "bounding_boxes.crop"
    form = _absolute(name, bounding_box_format)
    tensor = _to_boxes(name, boxes, form)
    x1, y1, x2, y2 = _to_corners(tensor, form)
    dx, dy, w, h = (_like(value, tensor) for value in (left, top, width, height))
    x1, x2 = clip(x1 - dx, 0, w), clip(x2 - dx, 0, w)
    y1, y2 = clip(y1 - dy, 0, h), clip(y2 - dy, 0, h)
    return _from_corners((x1, y1, x2, y2), form)


def pad(
    boxes: TensorLike,
    top: TensorLike,
    left: TensorLike,
    height: TensorLike | None = None,
    width: TensorLike | None = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Moves bounding boxes along with a padding of the image.

    Args:
        boxes: Tensor of shape `(..., 4)`.
        top: Number of rows added at the top.
        left: Number of columns added at the left.
        height: Height of the padded image. Absolute boxes do not depend on it.
        width: Width of the padded image.
        bounding_box_format: An absolute format of the boxes (see `convert_format`).

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: The format is relative or unknown.

    Example:
        >>> boxes = np.array([[10.0, 20.0, 30.0, 60.0]])
        >>> y = keras.utils.bounding_boxes.pad(boxes, top=1, left=2)
        >>> convert_to_numpy(y).tolist()
        [[12.0, 21.0, 32.0, 61.0]]
    """
    name = "bounding_boxes.pad"
    form = _absolute(name, bounding_box_format)
    tensor = _to_boxes(name, boxes, form)
    x1, y1, x2, y2 = _to_corners(tensor, form)
    dx, dy = _like(left, tensor), _like(top, tensor)
    return _from_corners((x1 + dx, y1 + dy, x2 + dx, y2 + dy), form)


def _like(value: Any, boxes: Any) -> Any:
    return value if isinstance(value, (int, float)) else cast(value, boxes.dtype)


def enclose_transformed_corners(
    boxes: Tensor, point: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
) -> Tensor:
    """Returns the smallest boxes around the transformed corners of boxes.

    Args:
        boxes: Tensor of shape `(..., 4)`, in the format `"xyxy"`.
        point: Takes and returns x and y of points, tensors of shape `(..., 4)`.
    """
    x, y = (stack([boxes[..., i] for i in c], axis=-1) for c in ((0, 2, 2, 0), (1, 1, 3, 3)))
    x, y = point(x, y)
    return stack([amin(x, -1), amin(y, -1), amax(x, -1), amax(y, -1)], axis=-1)


def affine_transform(
    boxes: TensorLike,
    angle: TensorLike,
    translate_x: TensorLike,
    translate_y: TensorLike,
    scale: TensorLike,
    shear_x: TensorLike,
    shear_y: TensorLike,
    height: TensorLike,
    width: TensorLike,
    center_x: TensorLike | None = None,
    center_y: TensorLike | None = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Affine transform of bounding boxes: the smallest boxes around their transformed corners.

    Args:
        boxes: Tensor of shape `(batch, boxes, 4)`.
        angle: Angles of rotation, in degrees: tensor of shape `(batch,)`.
        translate_x: Translations to the right, as fractions of the width: shape `(batch,)`.
        translate_y: Translations downwards, as fractions of the height: shape `(batch,)`.
        scale: Scale factors: shape `(batch,)`.
        shear_x: Shear angles along x, in degrees: shape `(batch,)`.
        shear_y: Shear angles along y, in degrees: shape `(batch,)`.
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        center_x: Center of the rotation, as a fraction of the width. By default 0.5.
        center_y: Center of the rotation, as a fraction of the height. By default 0.5.
        bounding_box_format: An absolute format of the boxes (see `convert_format`).

    Returns:
        A tensor of the same shape. Boxes may reach out of the image: see `clip_to_image_size`.

    Raises:
        ValueError: The format is relative or unknown.

    Example:
        >>> boxes, zero, one = np.array([[[1.0, 1.0, 3.0, 3.0]]]), np.zeros(1), np.ones(1)
        >>> y = keras.utils.bounding_boxes.affine_transform(
        ...     boxes, zero, one / 4, zero, one, zero, zero, height=5, width=5
        ... )
        >>> convert_to_numpy(y).tolist()
        [[[2.0, 1.0, 4.0, 3.0]]]
    """
    name = "bounding_boxes.affine_transform"
    form = _absolute(name, bounding_box_format)
    tensor = _to_boxes(name, boxes, form)
    dtype = "float64" if dtype_of(tensor) == "float64" else "float32"
    angle, tx, ty, scale, shear_x, shear_y, height, width = (
        cast(convert_to_tensor(x), dtype)
        for x in (angle, translate_x, translate_y, scale, shear_x, shear_y, height, width)
    )
    cx = (0.5 if center_x is None else _like(center_x, angle)) * (width - 1.0)
    cy = (0.5 if center_y is None else _like(center_y, angle)) * (height - 1.0)
    radians = math.pi / 180.0
    rotation, along_x, along_y = -angle * radians, -shear_x * radians, -shear_y * radians
    # Rotation after shear, inverted; the translation moves in the direction of its sign.
    a = cos(rotation - along_y) / cos(along_y)
    b = a * tan(along_x) + sin(rotation)
    c = -sin(rotation - along_y) / cos(along_y)
    d = cos(rotation) - c * tan(along_x)
    a0, a1, b0, b1 = d * scale, -b * scale, -c * scale, a * scale
    from_x, from_y = cx - tx * (width - 1.0), cy - ty * (height - 1.0)
    a2, b2 = cx - a0 * from_x - a1 * from_y, cy - b0 * from_x - b1 * from_y
    a0, a1, a2, b0, b1, b2 = (reshape(m, (-1, 1, 1)) for m in (a0, a1, a2, b0, b1, b2))
    corners = concatenate(_to_corners(cast(tensor, dtype), form), axis=-1)
    moved = enclose_transformed_corners(
        corners, lambda x, y: (a0 * x + a1 * y + a2, b0 * x + b1 * y + b2)
    )
    return _from_corners(columns_of(moved), form)


def image_size(image_shape: Any) -> tuple[Any, Any]:
    """Returns the height and the width; None if there is no shape."""
    return (None, None) if image_shape is None else (image_shape[0], image_shape[1])


def _check_encoding(source: str, argument: str, form: Any, variance: Any) -> Any:
    """Checks the options of regression targets. Returns the variance as a tensor, or None."""
    check_choice(source, argument, form, _ENCODINGS)
    if variance is None:
        return None
    variance = convert_to_tensor(variance, "float32")
    if tuple(variance.shape)[-1:] != (4,):
        raise SpecError(
            source,
            expected="a variance of four numbers",
            received=f"shape {tuple(variance.shape)}",
            fix="for example variance=(0.1, 0.1, 0.2, 0.2)",
        )
    return variance


def encode_box_to_deltas(
    anchors: TensorLike,
    boxes: TensorLike,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: TensorLike | None = None,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """Encodes bounding boxes as regression targets: offsets from anchor boxes.

    Offsets of the centers are divided by the size of the anchor; sizes become logarithms of
    ratios.

    Args:
        anchors: Anchor boxes: tensor of shape `(n, 4)`.
        boxes: Tensor of shape `(n, 4)` or `(batch, n, 4)`.
        anchor_format: Format of the anchors (see `convert_format`).
        box_format: Format of the boxes.
        encoding_format: Order of the numbers in the result: `"center_yxhw"` or `"center_xywh"`.
        variance: Four numbers that the result is divided by.
        image_shape: `(height, width, channels)` of the image, for relative formats.

    Returns:
        A tensor of the shape of `boxes`.

    Raises:
        ValueError: A format is unknown, or there are not four variances.

    Example:
        >>> boxes = np.array([[2.0, 2.0, 4.0, 4.0]])
        >>> y = keras.utils.bounding_boxes.encode_box_to_deltas(boxes - 1, boxes, "xyxy", "xyxy")
        >>> convert_to_numpy(y).tolist()
        [[0.5, 0.5, 0.0, 0.0]]

    References:
        Girshick et al., "Rich feature hierarchies for accurate object detection", 2014.
    """
    name = "bounding_boxes.encode_box_to_deltas"
    variance = _check_encoding(name, "encoding_format", encoding_format, variance)
    height, width = image_size(image_shape)
    source = convert_format(anchors, anchor_format, encoding_format, height, width)
    target = convert_format(boxes, box_format, encoding_format, height, width)
    anchor_sizes = maximum(source[..., 2:], settings.epsilon)
    sizes = maximum(target[..., 2:], settings.epsilon)
    offsets = (target[..., :2] - source[..., :2]) / anchor_sizes
    deltas = concatenate([offsets, log(sizes / anchor_sizes)], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Nested,
    boxes_delta: Nested,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: TensorLike | None = None,
    image_shape: Sequence[int] | None = None,
) -> Nested:
    """Decodes regression targets to bounding boxes: the inverse of `encode_box_to_deltas`.

    Args:
        anchors: Anchor boxes: tensor of shape `(n, 4)`, or a dict of them, by level.
        boxes_delta: Tensor of shape `(n, 4)` or `(batch, n, 4)`, or a dict of them, by level.
        anchor_format: Format of the anchors (see `convert_format`).
        box_format: Format of the result.
        encoded_format: Order of the numbers of the targets: `"center_yxhw"` or `"center_xywh"`.
        variance: Four numbers that the targets were divided by.
        image_shape: `(height, width, channels)` of the image, for relative formats.

    Returns:
        A tensor of the shape of `boxes_delta`, or a dict of them.

    Raises:
        ValueError: A format is unknown, or there are not four variances.

    Example:
        >>> anchors, deltas = np.array([[1.0, 1.0, 3.0, 3.0]]), np.array([[0.5, 0.5, 0.0, 0.0]])
        >>> y = keras.utils.bounding_boxes.decode_deltas_to_boxes(anchors, deltas, "xyxy", "xyxy")
        >>> convert_to_numpy(y).tolist()
        [[2.0, 2.0, 4.0, 4.0]]
    """
    name = "bounding_boxes.decode_deltas_to_boxes"
    factors = _check_encoding(name, "encoded_format", encoded_format, variance)
    height, width = image_size(image_shape)
    if isinstance(anchors, Mapping) and isinstance(boxes_delta, Mapping):
        options = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {
            level: decode_deltas_to_boxes(anchor, boxes_delta[level], *options)
            for level, anchor in anchors.items()
        }
    source = convert_format(anchors, anchor_format, encoded_format, height, width)
    deltas = cast(convert_to_tensor(boxes_delta), source.dtype)
    deltas = deltas if factors is None else deltas * factors
    sizes = source[..., 2:]
    centers = deltas[..., :2] * sizes + source[..., :2]
    boxes = concatenate([centers, exp(deltas[..., 2:]) * sizes], axis=-1)
    return convert_format(boxes, encoded_format, box_format, height, width)
