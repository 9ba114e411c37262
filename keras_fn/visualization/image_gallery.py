"""Galleries: images in rows and columns, drawn with Matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.core.host_text import to_host_values
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import is_int_at_least
from keras_fn.types import PathLike, TensorLike
from keras_fn.visualization.figures import new_figure
from keras_fn.visualization.pixels import check_mapping, to_pixels

_pyplot: Any = LazyModule("matplotlib.pyplot", pip="keras-fn[plot]")

_FONT_SIZE = 8  # points
_LINE_HEIGHT = 0.15  # inches
_RIGHT, _WRONG, _TEXT = "#1A7F37", "#CF222E", "#1B1F24"


class GalleryOptions(TypedDict, total=False):
    """Keyword arguments of galleries of boxes and masks, as in `plot_image_gallery`."""

    scale: float
    path: PathLike | None
    show: bool | None
    transparent: bool
    dpi: float


class MaskGalleryOptions(GalleryOptions, total=False):
    """Keyword arguments of galleries of masks, as in `plot_image_gallery`."""

    legend_handles: Sequence[Any] | None


class _Title(NamedTuple):
    text: str
    color: str = _TEXT


def plot_image_gallery(
    images: TensorLike,
    y_true: TensorLike | None = None,
    y_pred: TensorLike | None = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: PathLike | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> None:
    """Plots images in rows and columns, with the names of their classes.

    Args:
        images: A batch of images, of shape `(batch, height, width, channels)` with 1, 3 or 4
            channels.
        y_true: The class indices, of shape `(batch,)`.
        y_pred: The predicted class indices, of shape `(batch,)`. With both, the text is green where
            they agree, and red elsewhere.
        label_map: The name of each class.
        rows: Number of rows. By default as many as all images need in `cols` columns, or about as
            many rows as columns.
        cols: Number of columns.
        value_range: The values of black and white.
        scale: Width of an image in inches.
        path: Where to save the figure; the extension is the format.
        show: Whether to display the figure. By default, if there is no `path`. If neither, it stays
            the current figure of `matplotlib.pyplot`.
        transparent: Whether the background of a file is transparent.
        dpi: Resolution of a file in pixels per inch.
        legend_handles: Artists of Matplotlib for a legend below the images.
        data_format: The axis of the channels: `"channels_last"` or `"channels_first"`; that of the
            config by default.

    Raises:
        ValueError: The images are not of rank 4, there are both `path` and `show`, `label_map` is
            missing, or an argument is invalid.
        ImportError: Matplotlib is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "gallery.png")
        >>> names = {0: "cat", 1: "dog"}
        >>> keras.visualization.plot_image_gallery(
        ...     np.zeros((3, 32, 32, 3)), y_true=[0, 1, 0], label_map=names, path=path
        ... )
        >>> path.exists()
        True
    """
    source = "plot_image_gallery"
    if label_map is None and (y_true is not None or y_pred is not None):
        raise SpecError(
            source,
            expected="label_map, the name of each class in y_true and y_pred",
            received="label_map=None",
            fix="for example label_map={0: 'cat', 1: 'dog'}",
        )
    pixels = to_pixels(images, source, data_format, value_range)
    titles = _make_titles(
        len(pixels), y_true, y_pred, check_mapping(label_map, source, "label_map")
    )
    _plot(
        [*pixels],
        titles,
        _check_grid(len(pixels), rows, cols),
        legend_handles,
        scale=scale,
        path=path,
        show=show,
        transparent=transparent,
        dpi=dpi,
    )


def plot_titled(
    columns: Mapping[str, np.ndarray],
    legend_handles: Sequence[Any] | None = None,
    **kwargs: Unpack[GalleryOptions],
) -> None:
    """Plots columns of images, with a title above each.

    Args:
        columns: The images of each column by its title, as `to_pixels` returns them.
        legend_handles: Artists of Matplotlib for a legend below the images.
        **kwargs: Further arguments of `plot_image_gallery`.
    """
    rows = len(next(iter(columns.values())))
    cells = [pixels[i] for i in range(rows) for pixels in columns.values()]
    titles: list[_Title | None] = [_Title(title) for title in columns] if len(columns) > 1 else []
    _plot(cells, titles, (max(rows, 1), len(columns)), legend_handles, **kwargs)


def _make_titles(
    count: int, y_true: Any, y_pred: Any, names: Mapping[int, str]
) -> list[_Title | None]:
    labels = [
        None if y is None else _check_labels(argument, y)
        for argument, y in (("y_true", y_true), ("y_pred", y_pred))
    ]
    titles: list[_Title | None] = []
    for i in range(count):
        classes = [y[i] if y is not None and i < len(y) else None for y in labels]
        parts = [
            f"{word}: {names.get(index, 'Unknown')}"
            for word, index in zip(("Label", "Pred"), classes, strict=True)
            if index is not None
        ]
        color = _TEXT
        if None not in classes:
            color = _RIGHT if classes[0] == classes[1] else _WRONG
        titles.append(_Title("\n".join(parts), color) if parts else None)
    return titles


def _check_labels(argument: str, labels: Any) -> list[Any]:
    """Returns class indices of the first images."""
    values = np.asarray(to_host_values(labels))
    if values.ndim > 1 and values.size > len(values):
        raise SpecError(
            "plot_image_gallery",
            expected=f"{argument}: the class index of each image",
            received=f"shape {values.shape}",
            fix="take the argmax over the last axis of one-hot vectors and probabilities",
        )
    return values.ravel().tolist()


def _check_grid(count: int, rows: Any, cols: Any) -> tuple[int, int]:
    """Returns the numbers of rows and columns."""
    for argument, value in (("rows", rows), ("cols", cols)):
        if value is not None and not is_int_at_least(value):
            raise SpecError(
                "plot_image_gallery",
                expected=f"{argument}: a positive integer, or None",
                received=f"{argument}={value!r}",
                fix=f"leave {argument} out to show all images",
            )
    if rows is None:
        rows = math.ceil(math.sqrt(count)) if cols is None else math.ceil(count / cols)
        rows = max(rows, 1)
    return rows, cols or max(math.ceil(count / rows), 1)


def _plot(
    images: Sequence[np.ndarray],
    titles: Sequence[_Title | None],
    grid: tuple[int, int],
    legend_handles: Sequence[Any] | None,
    scale: float = 2,
    path: PathLike | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
) -> None:
    """Plots images of `to_pixels`, row by row, each with its title."""
    if path is not None and show:
        raise SpecError(
            "plot_image_gallery",
            expected="path or show",
            received=f"path={str(path)!r}, show={show!r}",
            fix="leave show out to save the figure, or path to display it",
        )
    rows, cols = grid
    ratio = images[0].shape[0] / images[0].shape[1] if images else 1
    lines = [title.text.count("\n") + 1 if title else 0 for title in titles]
    text_height = _LINE_HEIGHT * sum(
        max(lines[start : start + cols], default=0) for start in range(0, rows * cols, cols)
    )
    text_height += 2 * _LINE_HEIGHT * bool(legend_handles)
    size = (cols * scale, rows * scale * ratio + text_height)
    if path is not None:
        figure = new_figure("plot_image_gallery", size)
    else:
        figure = _pyplot.figure(figsize=size, layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
    axes = figure.subplots(rows, cols, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, image in zip(axes, images, strict=False):
        is_gray = image.shape[-1] == 1
        axis.imshow(image[..., 0] if is_gray else image, cmap="gray", vmin=0, vmax=255)
    for axis, title in zip(axes, titles, strict=False):
        if title is not None:
            axis.set_title(title.text, fontsize=_FONT_SIZE, color=title.color, pad=3)
    if legend_handles:
        figure.legend(
            handles=list(legend_handles),
            loc="outside lower center",
            ncols=len(legend_handles),
            fontsize=_FONT_SIZE,
            frameon=False,
        )
    if path is not None:
        figure.savefig(path, transparent=transparent, dpi=dpi, bbox_inches="tight", pad_inches=0.03)
    elif show is None or show:
        _pyplot.show()
        _pyplot.close(figure)
