"""Bounding boxes drawn on images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Unpack

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.core.host_text import to_host_values
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers._arguments import is_int_at_least
from keras_fn.ops.image.bounding_boxes import convert_format
from keras_fn.types import Nested, TensorLike
from keras_fn.visualization.image_gallery import GalleryOptions, plot_image_gallery
from keras_fn.visualization.pixels import check_color, check_mapping, to_layout, to_pixels

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_pil_image: Any = LazyModule("PIL.Image", pip="keras-fn[image]")
_pil_draw: Any = LazyModule("PIL.ImageDraw", pip="keras-fn[image]")
_pil_font: Any = LazyModule("PIL.ImageFont", pip="keras-fn[image]")
_patches: Any = LazyModule("matplotlib.patches", pip="keras-fn[plot]")

_FONT_SIZE = 14  # pixels, for font_scale=1
_PADDING = 2  # pixels around text
_SKIPPED = -1  # the label of boxes that are padding
_SOURCE = "draw_bounding_boxes"
_LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue
_BRIGHT = 118  # from this luminance on, black is easier to read than white
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)

_Edges: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""

Color = Sequence[int]
"""Red, green and blue, from 0 to 255."""


class _Style(NamedTuple):
    """How boxes are drawn; colors have as many channels as the image."""

    color: tuple[int, ...]
    text_color: tuple[int, ...]
    line_thickness: int
    font_size: float
    stroke: float  # what is added to each side of the lines of text
    is_text_below: bool


def draw_bounding_boxes(
    images: TensorLike,
    bounding_boxes: Mapping[str, Nested],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Color = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int | None = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Draws bounding boxes on images, with the names of their classes.

    Args:
        images: A batch of images, of shape `(batch, height, width, channels)` with 1, 3 or 4
            channels. The values are from 0 to 255, or from 0 to 1 for floats that are at most 1.
        bounding_boxes: Dict with `"boxes"`, of shape `(batch, boxes, 4)`; `"labels"`, integers of
            shape `(batch, boxes)`, of which boxes with -1 are left out; and optionally
            `"confidences"`, of shape `(batch, boxes)`. Each may be a list with an array for each
            image, which may have different numbers of boxes.
        bounding_box_format: The format of the boxes, as `"xyxy"`. See
            `keras.utils.bounding_boxes.convert_format`.
        class_mapping: The name of each label. Boxes of other labels get no name.
        color: Red, green and blue, from 0 to 255.
        line_thickness: Thickness of the lines in pixels.
        text_thickness: Thickness of the lines of the text in pixels; None for `line_thickness`.
        font_scale: Size of the text; 1 for 14 pixels.
        data_format: The axis of the channels: `"channels_last"` or `"channels_first"`; that of the
            config by default.

    Returns:
        The images with boxes: a uint8 array of the shape of `images`.

    Raises:
        ValueError: The images are not of rank 4, the dict lacks boxes or labels, or an argument is
            invalid.
        TypeError: `bounding_boxes` is not a dict.
        ImportError: Pillow is not installed.

    Example:
        >>> boxes = {"boxes": [[[2, 2, 6, 6]]], "labels": [[0]]}
        >>> images = keras.visualization.draw_bounding_boxes(
        ...     np.zeros((1, 8, 8, 1)), boxes, "xyxy", line_thickness=1
        ... )
        >>> images[0, 2, :, 0].tolist()
        [0, 0, 128, 128, 128, 128, 128, 0]
    """
    pixels = to_pixels(images, "draw_bounding_boxes", data_format)
    style = _make_style(color, pixels.shape[-1], line_thickness, text_thickness, font_scale)
    names = check_mapping(class_mapping, _SOURCE, "class_mapping")
    _draw(pixels, bounding_box_format, [(bounding_boxes, names, style)])
    return to_layout(pixels, data_format)


def _draw(
    pixels: np.ndarray,
    bounding_box_format: str,
    sets: Sequence[tuple[Any, Mapping[int, str], _Style]],
) -> None:
    """Draws boxes on images of `to_pixels`, in place, and then the names of all.

    Args:
        pixels: The images.
        bounding_box_format: The format of the boxes.
        sets: Boxes as `draw_bounding_boxes` takes them, the names of classes, and the style.
    """
    checked = [_check_boxes(boxes, len(pixels)) for boxes, _, _ in sets]
    height, width = pixels.shape[1:3]
    for i, array in enumerate(pixels):
        image = _pil_image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)
        drawing = _pil_draw.Draw(image)
        named: list[tuple[_Edges, str, _Style]] = []
        for (boxes, labels, confidences), (_, mapping, style) in zip(checked, sets, strict=True):
            corners = convert_format(boxes[i], bounding_box_format, "xyxy", height, width)
            names = _name_boxes(labels[i], mapping, confidences and confidences[i])
            for box, label, name in zip(to_host_values(corners), labels[i], names, strict=True):
                edges = _draw_box(drawing, box, style) if label != _SKIPPED else None
                named += [(edges, name, style)] if edges and name else []
        placed: list[_Edges] = []
        for edges, name, style in named:
            placed.append(_draw_name(drawing, edges, name, style, placed))
        pixels[i] = np.asarray(image).reshape(array.shape)


def _check_boxes(bounding_boxes: Any, batch_size: int) -> list[Any]:
    """Returns boxes, labels and confidences, each as a list of arrays for the images."""
    if not isinstance(bounding_boxes, Mapping):
        raise DTypeError(
            _SOURCE,
            expected='bounding_boxes: a dict with "boxes" and "labels"',
            received=f"an object of type {type(bounding_boxes).__name__}",
            fix='for example {"boxes": boxes, "labels": labels}',
        )
    parts = []
    for key, rank in (("boxes", 2), ("labels", 1), ("confidences", 1)):
        values = bounding_boxes.get(key)
        if values is None and key == "confidences":
            parts.append(None)
            continue
        values = () if values is None else values
        rows = [_to_row(row, rank) for row in to_host_values(values)]
        if len(rows) != batch_size or any(row.ndim != rank for row in rows):
            shapes = f"{len(rows)} images, of shapes {[row.shape for row in rows[:3]]}"
            raise SpecError(
                _SOURCE,
                expected=f"{key!r} for {batch_size} images: {rank + 1} axes",
                received=shapes if key in bounding_boxes else f"a dict without {key!r}",
                fix=f"pass {key} of shape (batch, boxes{', 4' * (rank == 2)})",
            )
        parts.append(rows)
    for i, rows in enumerate(zip(*(part for part in parts if part is not None), strict=True)):
        if len({len(row) for row in rows}) > 1:
            counts = zip(rows, ("boxes", "labels", "confidences"), strict=False)
            raise SpecError(
                _SOURCE,
                expected="a label, and a confidence if there are any, for each box",
                received=", ".join(f"{len(row)} {key}" for row, key in counts) + f" of image {i}",
                fix="complete them; boxes that are padding have the label -1",
            )
    return parts


def _to_row(values: Any, rank: int) -> np.ndarray:
    """Returns what belongs to the boxes of an image; it may have none."""
    row = np.asarray(to_host_values(values))
    return row if row.size else np.zeros((0, 4) if rank == 2 else 0)


def _name_boxes(
    labels: np.ndarray, class_mapping: Mapping[int, str], confidences: Any
) -> list[str | None]:
    """Returns the text of each box, None for none."""
    found = (class_mapping.get(int(label)) for label in labels)
    names = [None if name is None else str(name) for name in found]
    if confidences is None:
        return names
    pairs = zip(names, confidences, strict=True)
    return [name if name is None else f"{name} | {confidence:.2f}" for name, confidence in pairs]


def _make_style(
    color: Any,
    channels: int,
    line_thickness: Any,
    text_thickness: Any,
    font_scale: Any,
    is_text_below: bool = False,
) -> _Style:
    text_thickness = text_thickness or line_thickness
    for argument, value in (("line_thickness", line_thickness), ("text_thickness", text_thickness)):
        if not is_int_at_least(value):
            raise SpecError(
                _SOURCE,
                expected=f"{argument}: a positive number of pixels",
                received=f"{argument}={value!r}",
                fix=f"for example {argument}=2",
            )
    if not isinstance(font_scale, (int, float)) or not font_scale > 0:
        raise SpecError(
            _SOURCE,
            expected="font_scale: a positive number",
            received=f"font_scale={font_scale!r}",
            fix="for example font_scale=1.0",
        )
    rgb = check_color(color, _SOURCE, "color")
    text_color = _BLACK if np.dot(rgb, _LUMINANCE) > _BRIGHT else _WHITE
    return _Style(
        _to_channels(rgb, channels),
        _to_channels(text_color, channels),
        line_thickness,
        _FONT_SIZE * font_scale,
        (text_thickness - 1) / 4,
        is_text_below,
    )


def _to_channels(rgb: tuple[int, ...], channels: int) -> tuple[int, ...]:
    if channels == 1:
        return (round(float(np.dot(rgb, _LUMINANCE))),)
    return (*rgb, 255)[:channels]


def _draw_box(drawing: ImageDraw, box: np.ndarray, style: _Style) -> _Edges | None:
    """Draws a box, and returns its outer edges inside the image; None if there are none."""
    width, height = drawing.im.size
    if not np.isfinite(box).all():
        return None
    left, right = sorted((int(box[0]), int(box[2])))
    top, bottom = sorted((int(box[1]), int(box[3])))
    if right < 0 or bottom < 0 or left >= width or top >= height:
        return None
    before, after = (style.line_thickness - 1) // 2, style.line_thickness // 2
    left, top = max(left - before, 0), max(top - before, 0)
    right, bottom = min(right + after, width - 1), min(bottom + after, height - 1)
    drawing.rectangle((left, top, right, bottom), outline=style.color, width=style.line_thickness)
    return left, top, right, bottom


def _draw_name(
    drawing: ImageDraw, edges: _Edges, name: str, style: _Style, placed: Sequence[_Edges]
) -> _Edges:
    """Draws the name of a box next to it, where no other name is if there is such a place."""
    width, height = drawing.im.size
    font = _pil_font.load_default(style.font_size)
    text = drawing.textbbox((0, 0), name, font=font, stroke_width=style.stroke)
    available = max(width - 2 * _PADDING, 1)
    if text[2] - text[0] > available:  # letters that are cut off cannot be read
        font = _pil_font.load_default(style.font_size * available / (text[2] - text[0]))
        text = drawing.textbbox((0, 0), name, font=font, stroke_width=style.stroke)
    text_width, text_height = text[2] - text[0] + 2 * _PADDING, text[3] - text[1] + 2 * _PADDING
    left, top, _, bottom = edges
    x = max(min(left, width - 1 - text_width), 0)
    tops = [top - text_height, top, bottom, bottom - text_height]
    tops = tops[2:] + tops[:2] if style.is_text_below else tops
    places = [(x, y, x + text_width, y + text_height) for y in tops]
    places = [place for place in places if place[1] >= 0 and place[3] < height] or places[1:2]
    free = [place for place in places if not any(_overlap(place, other) for other in placed)]
    place = (free or places)[0]
    drawing.rectangle(place, fill=style.color)
    drawing.text(
        (place[0] + _PADDING - text[0], place[1] + _PADDING - text[1]),
        name,
        fill=style.text_color,
        font=font,
        stroke_width=style.stroke,
    )
    return place


def _overlap(a: _Edges, b: _Edges) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def plot_bounding_box_gallery(
    images: TensorLike,
    bounding_box_format: str,
    y_true: Mapping[str, Nested] | None = None,
    y_pred: Mapping[str, Nested] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Color = (0, 188, 212),
    pred_color: Color = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Unpack[GalleryOptions],
) -> None:
    """Plots a gallery of images with their bounding boxes: the targets and the predictions.

    Args:
        images: A batch of images, of shape `(batch, height, width, channels)`.
        bounding_box_format: The format of the boxes, as `"xyxy"`. See
            `keras.utils.bounding_boxes.convert_format`.
        y_true: The boxes of the targets, as in `draw_bounding_boxes`.
        y_pred: The predicted boxes, as in `draw_bounding_boxes`.
        value_range: The values of black and white.
        true_color: Red, green and blue of the boxes of the targets.
        pred_color: Red, green and blue of the predicted boxes.
        line_thickness: Thickness of the lines in pixels.
        font_scale: Size of the text; 1 for 14 pixels.
        text_thickness: Thickness of the lines of the text in pixels; None for `line_thickness`.
        class_mapping: The name of each label.
        ground_truth_mapping: The name of each label of the targets, in place of `class_mapping`.
        prediction_mapping: The name of each predicted label, in place of `class_mapping`.
        legend: Whether to explain the two colors below the images.
        legend_handles: Artists of Matplotlib for another legend.
        rows: Number of rows.
        cols: Number of columns.
        data_format: The axis of the channels: `"channels_last"` or `"channels_first"`; that of the
            config by default.
        **kwargs: Further arguments of `plot_image_gallery`, as `path`.

    Raises:
        ValueError: The images are not of rank 4, there are both `legend` and `legend_handles`, or
            an argument is invalid.
        ImportError: Matplotlib or Pillow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "boxes.png")
        >>> boxes = {"boxes": [[[2, 2, 20, 20]]], "labels": [[0]]}
        >>> keras.visualization.plot_bounding_box_gallery(
        ...     np.zeros((1, 32, 32, 3)), "xyxy", y_true=boxes, path=path, show=False
        ... )
        >>> path.exists()
        True
    """
    source = "plot_bounding_box_gallery"
    if legend and legend_handles:
        raise SpecError(
            source,
            expected="legend or legend_handles",
            received="both",
            fix="leave legend out, and add its two colors to legend_handles",
        )
    pixels = to_pixels(images, source, data_format, value_range)
    parts = (
        (y_true, true_color, "ground_truth_mapping", ground_truth_mapping, "Ground truth"),
        (y_pred, pred_color, "prediction_mapping", prediction_mapping, "Prediction"),
    )
    all_names = check_mapping(class_mapping, source, "class_mapping")
    handles, sets = list(legend_handles or ()), []
    for boxes, color, argument, mapping, title in parts:
        if legend:
            rgb = np.divide(check_color(color, source, "color"), 255)
            handles.append(_patches.Patch(color=rgb, label=title))
        if boxes is not None:
            is_below = boxes is y_pred and y_true is not None  # so that both can be read
            style = _make_style(
                color, pixels.shape[-1], line_thickness, text_thickness, font_scale, is_below
            )
            sets.append((boxes, check_mapping(mapping, source, argument) or all_names, style))
    _draw(pixels, bounding_box_format, sets)
    return plot_image_gallery(
        pixels,
        rows=rows,
        cols=cols,
        legend_handles=handles or None,
        data_format="channels_last",
        **kwargs,
    )
