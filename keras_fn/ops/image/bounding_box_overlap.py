"""Overlap of bounding boxes: intersection over union."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.ops.arithmetic import maximum, minimum
from keras_fn.ops.core import cast, convert_to_tensor
from keras_fn.ops.image.bounding_boxes import check_format, columns_of, convert_format, image_size
from keras_fn.ops.logic import less, logical_or, where
from keras_fn.ops.manipulation import swapaxes
from keras_fn.ops.reductions import amax
from keras_fn.ops.trigonometric import arctan
from keras_fn.settings import settings
from keras_fn.types import Tensor, TensorLike


def _check_image_shape(source: str, form: str, image_shape: Any) -> None:
    if form.startswith("rel_") and image_shape is None:
        raise SpecError(
            source,
            expected=f"image_shape: (height, width, channels) for the format {form}",
            received="image_shape=None",
            fix="pass image_shape=",
        )


def compute_iou(
    boxes1: TensorLike,
    boxes2: TensorLike,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """Intersection over union (Jaccard index) of all pairs of bounding boxes.

    Args:
        boxes1: Tensor of shape `(n, 4)` or `(batch, n, 4)`.
        boxes2: Tensor of shape `(m, 4)` or `(batch, m, 4)`.
        bounding_box_format: Format of the boxes (see `convert_format`).
        use_masking: Whether pairs with a box of negative numbers (padding) become `mask_val`.
        mask_val: The value of such pairs.
        image_shape: `(height, width, channels)` of the image; required for relative formats.

    Returns:
        A tensor of shape `(n, m)` or `(batch, n, m)`: numbers from 0 to 1.

    Raises:
        ValueError: The rank is not 2 or 3, the format is unknown, or `image_shape` is missing.

    Example:
        >>> boxes1, boxes2 = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0]])
        >>> iou = keras.utils.bounding_boxes.compute_iou(boxes1, boxes2, "xyxy")
        >>> print(f"{float(iou[0, 0]):.3f}")
        0.333
    """
    name = "bounding_boxes.compute_iou"
    form = check_format(name, "bounding_box_format", bounding_box_format)
    _check_image_shape(name, form, image_shape)
    height, width = image_size(image_shape)
    sides = []
    for boxes in (boxes1, boxes2):
        tensor = convert_to_tensor(boxes)
        if len(tensor.shape) not in (2, 3):
            raise SpecError(
                name,
                expected="boxes of rank 2, or of rank 3 with a batch axis",
                received=f"shape {tuple(tensor.shape)}",
                fix="pass boxes of shape (n, 4) or (batch, n, 4)",
            )
        sides.append(convert_format(tensor, form, "xyxy", height, width))
    first, second = sides
    rows = columns_of(first)
    columns = tuple(swapaxes(c, -1, -2) for c in columns_of(second))
    overlap_width = minimum(rows[2], columns[2]) - maximum(rows[0], columns[0])
    overlap_height = minimum(rows[3], columns[3]) - maximum(rows[1], columns[1])
    intersection = maximum(overlap_width, 0.0) * maximum(overlap_height, 0.0)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (rows, columns)]
    iou = intersection / (areas[0] + areas[1] - intersection + settings.epsilon)
    if not use_masking:
        return iou
    padding = [less(amax(boxes, axis=-1, keepdims=True), 0.0) for boxes in (first, second)]
    is_masked = logical_or(padding[0], swapaxes(padding[1], -1, -2))
    return where(is_masked, cast(mask_val, iou.dtype), iou)


def compute_ciou(
    boxes1: TensorLike,
    boxes2: TensorLike,
    bounding_box_format: str,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """Complete intersection over union: IoU less the distance of the centers and of the shapes.

    Args:
        boxes1: Tensor of shape `(..., 4)`.
        boxes2: Tensor of the same shape: each box is compared with the box at its place.
        bounding_box_format: Format of the boxes (see `convert_format`).
        image_shape: `(height, width, channels)` of the image; required for relative formats.

    Returns:
        A tensor of shape `(...)`: 1 for equal boxes, less than 0 for distant ones.

    Raises:
        ValueError: The format is unknown, or `image_shape` is missing.

    Example:
        >>> boxes = np.array([[0.0, 0.0, 2.0, 2.0]])
        >>> ciou = keras.utils.bounding_boxes.compute_ciou(boxes, boxes, "xyxy")
        >>> print(f"{float(ciou[0]):.3f}")
        1.000

    References:
        Zheng et al., "Distance-IoU loss: faster and better learning for bounding box regression",
        2020.
    """
    name = "bounding_boxes.compute_ciou"
    form = check_format(name, "bounding_box_format", bounding_box_format)
    _check_image_shape(name, form, image_shape)
    height, width = image_size(image_shape)
    epsilon = settings.epsilon
    (left1, top1, right1, bottom1), (left2, top2, right2, bottom2) = (
        tuple(c[..., 0] for c in columns_of(convert_format(b, form, "xyxy", height, width)))
        for b in (boxes1, boxes2)
    )
    w1, h1 = right1 - left1, bottom1 - top1 + epsilon
    w2, h2 = right2 - left2, bottom2 - top2 + epsilon
    overlap_width = maximum(minimum(right1, right2) - maximum(left1, left2), 0.0)
    overlap_height = maximum(minimum(bottom1, bottom2) - maximum(top1, top2), 0.0)
    intersection = overlap_width * overlap_height
    union = w1 * h1 + w2 * h2 - intersection + epsilon
    iou = intersection / (union + epsilon)
    hull_width = maximum(right1, right2) - minimum(left1, left2)
    hull_height = maximum(bottom1, bottom2) - minimum(top1, top2)
    diagonal = hull_width**2 + hull_height**2 + epsilon
    distance = ((left1 + right1 - left2 - right2) / 2.0) ** 2
    distance = distance + ((top1 + bottom1 - top2 - bottom2) / 2.0) ** 2
    shape = 4.0 / math.pi**2 * (arctan(w2 / h2) - arctan(w1 / h1)) ** 2
    weight = shape / (shape - iou + (1.0 + epsilon))
    return iou - (distance / diagonal + shape * weight)
