"""The summary table of a model, as text for terminals and as HTML."""

from __future__ import annotations

import io
import math
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from keras_fn.core.graph_model import get_graph, is_graph_model
from keras_fn.errors import SpecError
from keras_fn.ops._op import class_name
from keras_fn.types import AnyModel
from keras_fn.visualization.diagram import get_calls, get_node_ids

# Colors of the terminal's palette, by their use.
_NUMBER_COLOR, _UNKNOWN_COLOR, _CLASS_COLOR, _FROZEN_COLOR = (
    "color(34)",
    "color(45)",
    "color(33)",
    "color(9)",
)
_MIN_COLUMN_WIDTH = 4
_MIN_LINE_LENGTH = 50  # of the table; a narrower terminal wraps it
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


class _Columns(NamedTuple):
    line_length: int
    edges: list[float]  # right edges of the columns, as fractions of the line
    names: list[str]
    justify: list[Any]  # "left", "right" or "center"


_SEQUENTIAL_COLUMNS = _Columns(
    88, [0.45, 0.80, 1.0], ["Layer (type)", "Output Shape", "Param #"], ["left", "left", "right"]
)
_GRAPH_COLUMNS = _Columns(
    108,
    [0.3, 0.56, 0.74, 1.0],
    [*_SEQUENTIAL_COLUMNS.names, "Connected to"],
    [*_SEQUENTIAL_COLUMNS.justify, "left"],
)


def print_summary(
    model: AnyModel,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints a summary of a model: its layers, their output shapes and numbers of parameters.

    Args:
        model: The model.
        line_length: Length of a line in characters; by default the width of the terminal.
        positions: Right edges of the columns, as fractions of the line or in characters.
        print_fn: Function that receives the whole text instead of the terminal.
        expand_nested: Whether to show the layers of nested models too.
        show_trainable: Whether to add a column for trainability.
        layer_range: Names, or regular expressions, of the first and the last layer to show.

    Raises:
        ValueError: The line is too short for the columns, or `layer_range` matches no layer.
    """
    table = _table(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        console = Console(highlight=False)
    else:
        console = Console(
            highlight=False,
            color_system=None,
            force_terminal=False,
            force_jupyter=False,
            file=io.StringIO(),
        )
    console.width = max(console.width, table.width or 0)
    _print(console, model, table)
    if print_fn is not None:
        text: Any = console.file
        print_fn(text.getvalue())


def summary_html(model: AnyModel) -> str:
    """Returns the summary of a model as HTML, for notebooks."""
    table = _table(model, line_length=_columns(model).line_length)
    console = Console(
        record=True,
        highlight=False,
        force_jupyter=False,
        file=io.StringIO(),
        width=table.width,
    )
    _print(console, model, table)
    style = "white-space:pre;overflow-x:auto;line-height:normal;font-family:monospace"
    return console.export_html(
        inline_styles=True, code_format=f'<pre style="{style}">{{code}}</pre>'
    )


def _columns(model: AnyModel, show_trainable: bool = False) -> _Columns:
    columns = _SEQUENTIAL_COLUMNS if _is_sequential_graph(model) else _GRAPH_COLUMNS
    if not show_trainable:
        return columns
    return _Columns(
        columns.line_length + 12,
        [*(edge * 0.9 for edge in columns.edges), 1.0],
        [*columns.names, "Trainable"],
        [*columns.justify, "center"],
    )


def _is_sequential_graph(model: AnyModel) -> bool:
    """Whether each layer occurs once and takes the only tensor of the layer above it."""
    if not is_graph_model(model):
        return True
    node_ids = get_node_ids(model)
    nodes = [n for op in model.operations for n in op._inbound_nodes if id(n) in node_ids]
    consumers = [id(parent) for node in nodes for parent in node.parent_nodes]
    return (
        len(nodes) == len(model.operations)
        and all(len(node.input_tensors) < 2 for node in nodes)
        and len(consumers) == len(set(consumers))
    )


def _widths(columns: _Columns, positions: Sequence[float] | None, line_length: int) -> list[int]:
    edges = list(columns.edges if positions is None else positions)
    if positions is not None:
        edges = edges[: len(columns.names)]  # a program has them for the longest table
        if max(edges, default=0) > 1:
            edges = [edge / line_length for edge in edges]
        if len(edges) == len(columns.names) - 1 and columns.names[-1] == "Trainable":
            edges = [*(edge * 0.9 for edge in edges), 1.0]
    if len(edges) != len(columns.names):
        raise SpecError(
            "summary",
            expected=f"a position for each of the {len(columns.names)} columns "
            f"({', '.join(columns.names)})",
            received=f"{len(edges)} positions",
            fix="pass the end of each column, as a fraction of the line or in characters",
        )
    ends = [int(edge * line_length) for edge in edges]
    widths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(widths) < _MIN_COLUMN_WIDTH:
        raise SpecError(
            "summary",
            expected=f"a line that holds the columns {', '.join(columns.names)}",
            received=f"line_length={line_length}",
            fix="pass a longer line, or other positions",
        )
    return widths


def _in_range(layers: Sequence[Any], layer_range: Sequence[str] | None) -> Sequence[Any]:
    if layer_range is None:
        return layers
    if isinstance(layer_range, str) or [type(name) for name in layer_range] != [str, str]:
        raise SpecError(
            "summary",
            expected="layer_range as two names, of the first and the last layer",
            received=f"{layer_range!r}",
            fix='for example layer_range=("conv1", "conv4")',
        )
    matches = [[i for i, x in enumerate(layers) if re.match(name, x.name)] for name in layer_range]
    if not all(matches):
        missing = [name for name, indices in zip(layer_range, matches, strict=True) if not indices]
        raise SpecError(
            "summary",
            expected="layer_range as names of layers of the model",
            received=", ".join(missing),
            fix=f"use names such as {', '.join(layer.name for layer in layers[:3])}",
        )
    first, last = matches
    if first[0] > last[-1]:
        first, last = last, first
    return layers[first[0] : last[-1] + 1]


# -------------------------------------------------------------------- the table


def _table(
    model: AnyModel,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> Table:
    columns = _columns(model, show_trainable)
    if line_length is None:
        available = shutil.get_terminal_size().columns - 4
        line_length = max(_MIN_LINE_LENGTH, min(columns.line_length, available))
    headers = [
        Column(name, justify=justify, width=width)
        for name, justify, width in zip(
            columns.names,
            columns.justify,
            _widths(columns, positions, line_length),
            strict=True,
        )
    ]
    table = Table(*headers, width=line_length, show_lines=True)
    node_ids = get_node_ids(model)
    layers = model.operations if is_graph_model(model) else model.layers
    for layer in _in_range(layers, layer_range):
        for row in _rows(layer, node_ids, columns.names, expand_nested):
            table.add_row(*row)
    return table


def _rows(
    layer: Any, node_ids: set[int], columns: list[str], expand_nested: bool, level: int = 0
) -> list[list[Text]]:
    prefix = "   " * level + "└ " if level else ""
    row = [
        Text.assemble(f"{prefix}{layer.name} (", (class_name(layer), _CLASS_COLOR), ")"),
        _output_shape(layer, node_ids),
        _format_param_count(layer),
    ]
    if "Connected to" in columns:
        row.append(_format_connections(layer, node_ids))
    if "Trainable" in columns:
        row.append(_format_trainable(layer))
    rows = [row]
    nested = getattr(layer, "layers", None)
    if expand_nested and isinstance(nested, (list, tuple)):
        node_ids = node_ids | get_node_ids(layer)
        for sublayer in nested:
            rows += _rows(sublayer, node_ids, columns, expand_nested, level + 1)
    return rows


def _output_shape(layer: Any, node_ids: set[int]) -> Text:
    nodes = get_calls(layer, node_ids)
    if nodes:
        shapes = [t.named_shape for t in nodes[-1].output_tensors]
        return _format_shape(shapes[0] if len(shapes) == 1 else shapes)
    try:
        shapes = _built_shape(layer)
    except Exception:  # an error of a custom compute_output_shape must not stop the summary
        shapes = None
    return Text("?") if shapes is None else _format_shape(shapes)


def _built_shape(layer: Any) -> Any:
    """Computes the output shape from the input shapes that the layer was built for."""
    shapes = getattr(layer, "_build_shapes", None)
    if get_graph(layer) is layer:
        return layer.output_shape
    if not shapes:
        return None
    if len(shapes) == 1:
        return layer.compute_output_shape(*shapes.values())
    return layer.compute_output_shape(**shapes)


def _format_shape(shapes: Any) -> Text:
    """Formats one shape, or nested ones, with colored sizes."""
    if isinstance(shapes, dict):
        keyed = (Text.assemble(f"{key}: ", _format_shape(value)) for key, value in shapes.items())
        return Text.assemble("{", Text(", ").join(keyed), "}")
    if all(size is None or isinstance(size, (int, str)) for size in shapes):
        sizes = Text(", ").join(
            Text(str(n), _NUMBER_COLOR if isinstance(n, int) else _UNKNOWN_COLOR) for n in shapes
        )
        return Text.assemble("(", sizes, ")")
    inner = Text(", ").join(map(_format_shape, shapes))
    opening, closing = "[]" if isinstance(shapes, list) else "()"
    return Text.assemble(opening, inner, closing)


def _format_param_count(layer: Any) -> Text:
    if not hasattr(layer, "built"):
        return Text("0", _NUMBER_COLOR)
    if not layer.built:
        return Text.assemble(("0", _NUMBER_COLOR), " (unbuilt)")
    return Text(f"{layer.count_params():,}", _NUMBER_COLOR)


def _format_connections(layer: Any, node_ids: set[int]) -> Text:
    histories = [
        tensor._keras_history
        for node in layer._inbound_nodes
        if id(node) in node_ids
        for tensor in node.input_tensors
    ]
    if not histories:
        return Text("-")
    return Text(", ").join(
        Text.assemble(
            f"{operation.name}[",
            (str(node), _NUMBER_COLOR),
            "][",
            (str(tensor), _NUMBER_COLOR),
            "]",
        )
        for operation, node, tensor in histories
    )


def _format_trainable(layer: Any) -> Text:
    if not getattr(layer, "weights", None):
        return Text("-", "bold")
    return (
        Text("Y", f"bold {_NUMBER_COLOR}")
        if layer.trainable
        else Text("N", f"bold {_FROZEN_COLOR}")
    )


# -------------------------------------------------------------------- the totals


def _print(console: Console, model: AnyModel, table: Table) -> None:
    console.print(Text(f'Model: "{model.name}"', "bold"))
    console.print(table)
    for title, variables in _totals(model):
        number = sum(math.prod(v.shape) for v in variables)
        size = f" ({format_bytes(count_bytes(variables))})"
        console.print(Text.assemble((f" {title}: ", "bold"), (f"{number:,}", _NUMBER_COLOR), size))


def _totals(model: AnyModel) -> list[tuple[str, list[Any]]]:
    trained, frozen = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None) if getattr(model, "compiled", False) else None
    state = None
    if optimizer is not None and optimizer.built:
        state = list(optimizer.variables)
    totals = [
        ("Total params", [*trained, *frozen, *(state or ())]),
        ("Trainable params", trained),
        ("Non-trainable params", frozen),
    ]
    return totals if state is None else [*totals, ("Optimizer params", state)]


def count_bytes(variables: Iterable[Any]) -> int:
    """Returns the memory of variables in bytes, each variable counted once."""
    unique = {id(v): v for v in variables}.values()
    return sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in unique)


def format_bytes(size: float) -> str:
    """Formats a number of bytes with a binary unit.

    Example:
        >>> from keras_fn.visualization.summary import format_bytes
        >>> format_bytes(220_200)
        '215.04 KB'
    """
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.2f} {_UNITS[unit]}"
