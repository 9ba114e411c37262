"""Models as Graphviz graphs, through pydot."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Unpack

from keras_fn.errors import SpecError, unexpected_arguments
from keras_fn.types import AnyModel, NoArguments
from keras_fn.visualization.diagram import Box, Diagram, DisplayOptions, build_diagram

if TYPE_CHECKING:
    import pydot

TIMEOUT_SECONDS = 30.0  # time limit of Graphviz's `dot`


def model_to_dot(
    model: AnyModel,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Unpack[NoArguments],
) -> pydot.Dot | pydot.Cluster:
    """Converts a model to a Graphviz graph of the `pydot` package.

    Args:
        model: A built model. One that is not a graph of layers becomes a single node.
        show_shapes: Whether to display input and output shapes.
        show_dtype: Whether to display the output dtype.
        show_layer_names: Whether to display layer names in addition to classes.
        rankdir: Direction of the edges: "TB", "BT", "LR" or "RL".
        expand_nested: Whether to expand nested models into clusters.
        dpi: Resolution in pixels per inch.
        subgraph: Whether to return a cluster for use in another graph.
        show_layer_activations: Whether to display activations.
        show_trainable: Whether to display whether layers are trainable.
        splines: Style of the edges: "ortho", "curved", "polyline", "spline" or "line".
        **kwargs: Not accepted; any argument raises a ValueError.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster` with `subgraph`.

    Raises:
        ImportError: `pydot` is not installed.
        ValueError: The model is not built, or an argument is unknown.

    Example:
        >>> x = keras.Input((3,), name="x")
        >>> model = keras.Model(x, keras.layers.Dense(2, name="y")(x))
        >>> graph = keras.utils.model_to_dot(model, rankdir="LR")
        >>> graph.get_rankdir(), len(graph.get_edges())
        ('LR', 1)
    """
    import_pydot()
    check_model(model, "model_to_dot", kwargs)
    diagram = build_diagram(model, expand_nested)
    show = DisplayOptions(
        show_layer_names, show_shapes, show_dtype, show_layer_activations, show_trainable
    )
    if subgraph:
        return _cluster(diagram, show)
    return diagram_to_dot(diagram, show, rankdir, dpi, splines)


def import_pydot() -> Any:
    """Returns the module `pydot`.

    Raises:
        ImportError: pydot is not installed.
    """
    try:
        import pydot
    except ImportError:
        raise ImportError(
            "model_to_dot needs the package pydot, which is not installed.\n"
            "  fix: pip install 'keras-fn[plot]' (plot_model works without it)"
        ) from None
    return pydot


def check_model(model: AnyModel, source: str, kwargs: Mapping[str, object]) -> None:
    """Raises a ValueError for a model that is not built, and for unknown arguments.

    Args:
        model: The model.
        source: Name of the public function, for the error message.
        kwargs: The unknown arguments.
    """
    if kwargs:
        raise unexpected_arguments(source, kwargs)
    if not model.built:
        raise SpecError(
            source,
            expected="a model whose shapes are known",
            received=f"the model {model.name!r}, which is not built",
            fix="call build(input_shape), or call it on data",
        )


def diagram_to_dot(
    diagram: Diagram, show: DisplayOptions, rankdir: str, dpi: int, splines: str
) -> Any:
    """Converts a diagram to a Graphviz graph.

    Args:
        diagram: The diagram.
        show: The details that the nodes display.
        rankdir: Direction of the edges: "TB", "BT", "LR" or "RL".
        dpi: Resolution in pixels per inch.
        splines: Style of the edges, as Graphviz names it.

    Returns:
        A `pydot.Dot`.
    """
    pydot = import_pydot()
    dot = pydot.Dot(
        rankdir=rankdir, concentrate=True, dpi=dpi, splines=splines, fontname="Helvetica"
    )
    dot.set_node_defaults(shape="plaintext", margin=0, fontname="Helvetica")
    dot.set_edge_defaults(penwidth=1.5, color="#444444")
    _add_items(dot, diagram, show)
    return dot


def _cluster(diagram: Diagram, show: DisplayOptions) -> Any:
    pydot = import_pydot()
    label = diagram.name if diagram.name.isidentifier() else pydot.make_quoted(diagram.name)
    cluster = pydot.Cluster(diagram.key, style="dashed", label=label, labeljust="l")
    _add_items(cluster, diagram, show)
    return cluster


def _add_items(target: Any, diagram: Diagram, show: DisplayOptions) -> None:
    pydot = import_pydot()
    for item in diagram.items:
        if isinstance(item, Diagram):
            target.add_subgraph(_cluster(item, show))
        else:
            target.add_node(pydot.Node(item.key, label=_label(item, show)))
    for source, destination in diagram.edges:
        target.add_edge(pydot.Edge(source, destination))


def _label(box: Box, show: DisplayOptions) -> str:
    """Returns an HTML-like table: the class in white on black, with the details below."""
    cells = []
    if show.shapes:
        if not box.is_input:
            cells.append(_cell(f"Input shape: <b>{escape(box.inputs.text)}</b>"))
        cells.append(_cell(f"Output shape: <b>{escape(box.outputs.text)}</b>"))
    if show.dtype:
        cells.append(_cell(f"Output dtype: <b>{escape(box.dtype)}</b>"))
    if show.trainable and box.trainable is not None:
        color, text = ("forestgreen", "T") if box.trainable else ("firebrick", "Non-t")
        cells.append(_cell(f"<b>{text}rainable</b>", background=color, color="white"))
    span = max(1, len(cells))
    title = f"<b>{escape(box.class_name)}</b>"
    if show.names:
        title = f"<b>{escape(box.name)}</b> ({escape(box.class_name)})"
    rows = [_cell(title, span, background="black", color="white", size=16)]
    if show.activations and box.activation is not None:
        rows.append(_cell(f"Activation: <b>{escape(box.activation)}</b>", span))
    if cells:
        rows.append("".join(cells))
    table = '<table border="0" cellborder="1" cellspacing="0" cellpadding="8" bgcolor="white">'
    return f"<{table}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>>"


def _cell(
    text: str, span: int = 1, background: str = "white", color: str = "black", size: int = 14
) -> str:
    font = f'<font point-size="{size}" color="{color}">{text}</font>'
    return f'<td colspan="{span}" bgcolor="{background}">{font}</td>'


def render(dot: Any, format: str) -> bytes:
    """Renders a graph with Graphviz.

    Args:
        dot: A `pydot.Dot`.
        format: An image format of Graphviz, or "dot" for the source.

    Returns:
        The content of the image file.

    Raises:
        OSError: Graphviz is not installed, or fails.
    """
    source = dot.to_string().encode()
    if format in ("dot", "gv"):
        return source
    program = shutil.which("dot")
    if program is None:
        raise OSError("Graphviz's program `dot` is not on the PATH")
    try:
        result = subprocess.run(
            [program, f"-T{format}"],
            input=source,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"`dot` took more than {TIMEOUT_SECONDS:g} seconds") from None
    if result.returncode or not result.stdout:
        message = result.stderr.decode(errors="replace").strip()[:300]
        raise OSError(f"`dot` ended with {result.returncode}: {message or 'no image'}")
    return result.stdout
