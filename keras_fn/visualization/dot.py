"""Models as Graphviz graphs."""

import shutil
import subprocess
from html import escape
from typing import Any

from keras_fn.visualization.diagram import Box, Diagram, DisplayOptions, build_diagram

SECONDS = 30.0  # that `dot` may take for a picture


def model_to_dot(
    model: Any,
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
    **kwargs: Any,
) -> Any:
    """Returns a model as a graph of the `pydot` package.

    Args:
        model: The model. One that is no graph of layers is a single node.
        show_shapes: Whether nodes say the shapes that come in and go out.
        show_dtype: Whether nodes say the dtype that goes out.
        show_layer_names: Whether nodes say the layer's name beside its class.
        rankdir: Where edges go: "TB", "BT", "LR" or "RL".
        expand_nested: Whether nested models are drawn layer by layer, as clusters.
        dpi: Pixels in an inch.
        subgraph: Whether to return a cluster, to be put into another graph.
        show_layer_activations: Whether nodes say the layer's activation.
        show_trainable: Whether nodes say whether the layer is trained.
        splines: How edges are drawn: "ortho", "curved", "polyline", "spline" or "line".
        **kwargs: None; named for the sake of old calls.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster`.

    Raises:
        ImportError: `pydot` is not installed.
        ValueError: The model is not built, or an argument is unknown.
    """
    import_pydot()
    check_model(model, "model_to_dot", kwargs)
    diagram = build_diagram(model, expand_nested)
    show = DisplayOptions(
        show_layer_names, show_shapes, show_dtype, show_layer_activations, show_trainable
    )
    if subgraph:
        return _cluster(diagram, show)
    return graph(diagram, show, rankdir, dpi, splines)


def import_pydot() -> Any:
    """Returns the module `pydot`.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import pydot
    except ImportError:
        raise ImportError(
            "A graph for Graphviz is made by the package pydot, which is not installed.\n"
            "  fix: pip install 'keras-fn[plot]' (plot_model works without)"
        ) from None
    return pydot


def check_model(model: Any, who: str, kwargs: dict[str, Any]) -> None:
    """Refuses models whose layers are not known yet, and arguments that nobody knows."""
    if kwargs:
        raise ValueError(f"{who} does not take the argument {next(iter(kwargs))!r}.")
    if not model.built:
        raise ValueError(
            f"{who}: the model {model.name!r} is not built, so its shapes are not known yet.\n"
            "  fix: call build(input_shape), or call it on data"
        )


def graph(diagram: Diagram, show: DisplayOptions, rankdir: str, dpi: int, splines: str) -> Any:
    """Returns a diagram as a `pydot.Dot`."""
    pydot = import_pydot()
    dot = pydot.Dot(
        rankdir=rankdir, concentrate=True, dpi=dpi, splines=splines, fontname="Helvetica"
    )
    dot.set_node_defaults(shape="plaintext", margin=0, fontname="Helvetica")
    dot.set_edge_defaults(penwidth=1.5, color="#444444")
    _fill(dot, diagram, show)
    return dot


def _cluster(diagram: Diagram, show: DisplayOptions) -> Any:
    pydot = import_pydot()
    label = diagram.name if diagram.name.isidentifier() else pydot.make_quoted(diagram.name)
    cluster = pydot.Cluster(diagram.key, style="dashed", label=label, labeljust="l")
    _fill(cluster, diagram, show)
    return cluster


def _fill(target: Any, diagram: Diagram, show: DisplayOptions) -> None:
    pydot = import_pydot()
    for item in diagram.items:
        if isinstance(item, Diagram):
            target.add_subgraph(_cluster(item, show))
        else:
            target.add_node(pydot.Node(item.key, label=_label(item, show)))
    for source, destination in diagram.edges:
        target.add_edge(pydot.Edge(source, destination))


def _label(box: Box, show: DisplayOptions) -> str:
    """Returns an HTML-like table: the class in white on black, below it what else is shown."""
    cells = []
    if show.shapes:
        if not box.is_input:
            cells.append(_cell(f"Input shape: <b>{escape(box.inputs.text)}</b>"))
        cells.append(_cell(f"Output shape: <b>{escape(box.outputs.text)}</b>"))
    if show.dtype:
        cells.append(_cell(f"Output dtype: <b>{escape(box.dtype)}</b>"))
    if show.trainable and box.trainable is not None:
        colour, text = ("forestgreen", "T") if box.trainable else ("firebrick", "Non-t")
        cells.append(_cell(f"<b>{text}rainable</b>", background=colour, ink="white"))
    span = max(1, len(cells))
    title = f"<b>{escape(box.class_name)}</b>"
    if show.names:
        title = f"<b>{escape(box.name)}</b> ({escape(box.class_name)})"
    rows = [_cell(title, span, background="black", ink="white", size=16)]
    if show.activations and box.activation is not None:
        rows.append(_cell(f"Activation: <b>{escape(box.activation)}</b>", span))
    if cells:
        rows.append("".join(cells))
    table = '<table border="0" cellborder="1" cellspacing="0" cellpadding="8" bgcolor="white">'
    return f"<{table}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>>"


def _cell(
    text: str, span: int = 1, background: str = "white", ink: str = "black", size: int = 14
) -> str:
    font = f'<font point-size="{size}" color="{ink}">{text}</font>'
    return f'<td colspan="{span}" bgcolor="{background}">{font}</td>'


def render(dot: Any, format: str) -> bytes:
    """Returns the picture that Graphviz draws of a graph, or its source.

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
        done = subprocess.run(
            [program, f"-T{format}"],
            input=source,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"`dot` took more than {SECONDS:g} seconds") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()[:300]
        raise OSError(f"`dot` ended with {done.returncode}: {said or 'no picture'}")
    return done.stdout
