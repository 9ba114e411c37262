"""Plots models: with Graphviz if it is installed, else with Matplotlib, else as text."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from keras_fn.distribution.processes import is_primary
from keras_fn.errors import check_choice
from keras_fn.types import AnyModel, NoArguments, PathLike
from keras_fn.visualization import dot, matplotlib_renderer
from keras_fn.visualization.diagram import Diagram, DisplayOptions, build_diagram
from keras_fn.visualization.dot import model_to_dot  # noqa: F401  part of this module's API
from keras_fn.visualization.mermaid import model_to_mermaid

_TEXT = {"mmd": "{}\n", "md": "```mermaid\n{}\n```\n"}  # formats of Mermaid text
_RANKDIRS = ("TB", "BT", "LR", "RL")


def plot_model(
    model: AnyModel,
    to_file: PathLike = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Unpack[NoArguments],
) -> object:
    """Plots the graph of a model to an image file.

    It uses Graphviz if `pydot` and the program `dot` are installed, else Matplotlib. If neither is
    available, it writes Mermaid text to a file next to `to_file`, with a warning.

    Args:
        model: A built model. One that is not a graph of layers becomes a single box.
        to_file: Path of the image; the extension is the format: `.png`, `.svg`, `.pdf`, or `.mmd`
            and `.md` for Mermaid text.
        show_shapes: Whether to display input and output shapes.
        show_dtype: Whether to display the output dtype.
        show_layer_names: Whether to display layer names in addition to classes.
        rankdir: Direction of the edges: "TB" (down), "BT" (up), "LR" (right) or "RL" (left).
        expand_nested: Whether to expand nested models into clusters.
        dpi: Resolution in pixels per inch.
        show_layer_activations: Whether to display activations.
        show_trainable: Whether to display whether layers are trainable.
        splines: Style of the edges: "ortho" (right angles), "curved", "polyline", "spline" or
            "line".
        **kwargs: Not accepted; any argument raises a ValueError.

    Returns:
        The image for display in a notebook; None outside of notebooks.

    Raises:
        ValueError: The model is not built, `rankdir` is unknown, or there is an unknown argument.
        OSError: The file cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> x = keras.Input((3,), name="x")
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> path = pathlib.Path(tempfile.mkdtemp(), "model.md")
        >>> keras.utils.plot_model(model, path, show_shapes=True)
        >>> path.read_text().splitlines()[:2]
        ['```mermaid', 'flowchart TB']
    """
    dot.check_model(model, "plot_model", kwargs)
    rankdir = check_choice("plot_model", "rankdir", rankdir, _RANKDIRS)
    path = Path(to_file)
    if not is_primary():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    format = path.suffix.lower().removeprefix(".") or "png"
    if format not in _TEXT:
        show = DisplayOptions(
            show_layer_names, show_shapes, show_dtype, show_layer_activations, show_trainable
        )
        diagram = build_diagram(model, expand_nested)
        image, reasons = _render_image(diagram, show, rankdir, dpi, splines, format)
        if image is not None:
            path.write_bytes(image)
            return _display(path, format)
        path, format = path.with_suffix(".mmd"), "mmd"
        warnings.warn(
            f"plot_model created no image ({'; '.join(reasons)}). {path} contains the model as "
            "Mermaid text instead. For images: pip install 'keras-fn[plot]'",
            stacklevel=2,
        )
    text = model_to_mermaid(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        direction=rankdir,
        expand_nested=expand_nested,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
    )
    path.write_text(_TEXT[format].format(text), encoding="utf-8")
    return _display(path, format)


def _render_image(
    diagram: Diagram, show: DisplayOptions, rankdir: str, dpi: int, splines: str, format: str
) -> tuple[bytes | None, list[str]]:
    """Returns the image of the first renderer that succeeds; None and the errors if none does."""

    def render_graphviz(splines: str) -> bytes:
        return dot.render(dot.diagram_to_dot(diagram, show, rankdir, dpi, splines), format)

    renderers: list[Callable[[], bytes]] = [
        lambda: render_graphviz(splines),
        # On some graphs Graphviz crashes, or does not terminate, with right angles.
        lambda: render_graphviz("polyline"),
        lambda: matplotlib_renderer.draw(diagram, show, rankdir, splines, dpi, format),
    ]
    reasons = []
    for renderer in renderers:
        try:
            return renderer(), []
        except Exception as error:  # a failed plot must not end the program
            reasons.append(str(error).partition("\n")[0])
    return None, list(dict.fromkeys(reasons))


def _display(path: Path, format: str) -> object:
    """Returns the file for display in a notebook; None outside of notebooks."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None or format == "pdf":
        return None
    if format in _TEXT:
        text = path.read_text(encoding="utf-8")
        return ipython.display.Markdown(text if format == "md" else _TEXT["md"].format(text))
    return (ipython.display.SVG if format == "svg" else ipython.display.Image)(filename=str(path))
