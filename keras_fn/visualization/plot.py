"""Pictures of models: through Graphviz where it is there, else through matplotlib, else as text."""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_fn.visualization import dot, matplotlib_renderer
from keras_fn.visualization.diagram import Diagram, DisplayOptions, build_diagram
from keras_fn.visualization.dot import model_to_dot  # noqa: F401  its public home is here
from keras_fn.visualization.mermaid import model_to_mermaid

_TEXT = {"mmd": "{}\n", "md": "```mermaid\n{}\n```\n"}  # formats that are Mermaid text
_RANKDIRS = ("TB", "BT", "LR", "RL")


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draws a model into a file.

    Graphviz draws it if `pydot` and Graphviz's program `dot` are installed, matplotlib if not. With
    neither, the model is written as Mermaid text beside `to_file`, and a warning says so.

    Args:
        model: The model. One that is no graph of layers is drawn as a single box.
        to_file: Path; its ending names the format: `.png`, `.svg`, `.pdf`, or `.mmd` and `.md`
            for Mermaid text.
        show_shapes: Whether boxes say the shapes that come in and go out.
        show_dtype: Whether boxes say the dtype that goes out.
        show_layer_names: Whether boxes say the layer's name beside its class.
        rankdir: Where edges go: "TB" (down), "BT", "LR" (right) or "RL".
        expand_nested: Whether nested models are drawn layer by layer, in a frame.
        dpi: Pixels in an inch.
        show_layer_activations: Whether boxes say the layer's activation.
        show_trainable: Whether boxes say whether the layer is trained.
        splines: How edges are drawn: "ortho" (right angles), "curved", "polyline", "spline" or
            "line".
        **kwargs: None; named for the sake of old calls.

    Returns:
        In a notebook, the picture to display; else None.

    Raises:
        ValueError: The model is not built, or an argument is unknown.
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
    if rankdir not in _RANKDIRS:
        raise ValueError(f"plot_model: rankdir is one of {', '.join(_RANKDIRS)}, not {rankdir!r}.")
    path = Path(to_file)
    format = path.suffix.lower().removeprefix(".") or "png"
    if format not in _TEXT:
        show = DisplayOptions(
            show_layer_names, show_shapes, show_dtype, show_layer_activations, show_trainable
        )
        diagram = build_diagram(model, expand_nested)
        picture, reasons = _picture(diagram, show, rankdir, dpi, splines, format)
        if picture is not None:
            path.write_bytes(picture)
            return _display(path, format)
        path, format = path.with_suffix(".mmd"), "mmd"
        warnings.warn(
            f"plot_model drew no picture ({'; '.join(reasons)}). {path} holds the model as "
            "Mermaid text instead. For pictures: pip install 'keras-fn[plot]'",
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


def _picture(
    diagram: Diagram, show: DisplayOptions, rankdir: str, dpi: int, splines: str, format: str
) -> tuple[bytes | None, list[str]]:
    """Returns the picture of the first drawer that makes one, or None and why none did."""

    def through_graphviz(splines: str) -> bytes:
        return dot.render(dot.graph(diagram, show, rankdir, dpi, splines), format)

    drawers: list[Callable[[], bytes]] = [
        lambda: through_graphviz(splines),
        # Graphviz crashes, or takes forever, on right angles in some graphs.
        lambda: through_graphviz("polyline"),
        lambda: matplotlib_renderer.draw(diagram, show, rankdir, splines, dpi, format),
    ]
    reasons = []
    for drawer in drawers:
        try:
            return drawer(), []
        except Exception as error:  # a picture is no reason to end a program
            reasons.append(str(error).partition("\n")[0])
    return None, list(dict.fromkeys(reasons))


def _display(path: Path, format: str) -> Any:
    """Returns what a notebook shows for the file; None where there is no notebook."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None or format == "pdf":
        return None
    if format in _TEXT:
        text = path.read_text(encoding="utf-8")
        return ipython.display.Markdown(text if format == "md" else _TEXT["md"].format(text))
    return (ipython.display.SVG if format == "svg" else ipython.display.Image)(filename=str(path))
