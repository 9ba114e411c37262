"""Models as Mermaid flowcharts: text that GitHub, GitLab, Jupyter and many editors render."""

from __future__ import annotations

import re
from collections import Counter

from keras_fn.errors import check_choice
from keras_fn.types import AnyModel
from keras_fn.visualization.diagram import Box, Diagram, DisplayOptions, ShapeSummary, build_diagram

DIRECTIONS = ("TD", "TB", "BT", "LR", "RL")
# All but letters, digits, spaces and plain punctuation; the joint in `a_b` or `a.b` is plain.
_SPECIAL = re.compile(r"(?<=[^\W_])[-._](?=[^\W_])|([^\w ,()?:→×]|_)")
_STYLES = (
    "classDef input fill:#E3F2FD,stroke:#1565C0,color:#0D2B4E",
    "classDef layer fill:#FFF8E1,stroke:#B28704,color:#3E2F00",
    "classDef op fill:#F5F5F5,stroke:#757575,color:#212121",
    "classDef frozen fill:#ECEFF1,stroke:#607D8B,color:#263238,stroke-dasharray:4 3",
)


def model_to_mermaid(
    model: AnyModel,
    show_shapes: bool = True,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    direction: str = "TD",
    expand_nested: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> str:
    """Converts a model to a Mermaid flowchart.

    Args:
        model: The model. One that is not a graph of layers becomes a single box.
        show_shapes: Whether to display input and output shapes.
        show_dtype: Whether to display the output dtype.
        show_layer_names: Whether to display layer names in addition to classes.
        direction: Direction of the edges: "TD" or "TB" (top down), "BT", "LR" or "RL".
        expand_nested: Whether to expand nested models into subgraphs.
        show_layer_activations: Whether to display activations.
        show_trainable: Whether to display whether layers are trainable; frozen ones are dashed.

    Returns:
        The text of the flowchart, for a `mermaid` code block.

    Raises:
        ValueError: `direction` is unknown.

    Example:
        >>> x = keras.Input((3,), name="x")
        >>> model = keras.Model(x, keras.layers.Dense(2, name="y")(x))
        >>> print(keras.utils.model_to_mermaid(model, show_shapes=False).partition("classDef")[0])
        flowchart TD
            n0(["x (InputLayer)"]):::input
            n1["y (Dense)"]:::layer
            n0 --> n1
    """
    direction = check_choice("model_to_mermaid", "direction", direction, DIRECTIONS)
    show = DisplayOptions(
        show_layer_names, show_shapes, show_dtype, show_layer_activations, show_trainable
    )
    diagram = build_diagram(model, expand_nested)
    lines = _lines(diagram, show)
    used = {line.rpartition(":::")[2] for line in lines if ":::" in line}
    lines += [style for style in _STYLES if style.split()[1] in used]
    return "\n".join([f"flowchart {direction}", *("    " + line for line in lines)])


def _lines(diagram: Diagram, show: DisplayOptions) -> list[str]:
    lines = []
    for item in diagram.items:
        if isinstance(item, Diagram):
            lines.append(f'subgraph {item.key}["{escape_label(item.name)}"]')
            lines += ["    " + line for line in _lines(item, show)]
            lines.append("end")
        else:
            lines.append(_node(item, show))
    return lines + [f"{a} --> {b}" for a, b in diagram.edges]


def _node(box: Box, show: DisplayOptions) -> str:
    label = "<br/>".join(map(escape_label, label_lines(box, show)))
    if box.is_input:
        return f'{box.key}(["{label}"]):::input'
    if box.family == "op":
        return f'{box.key}("{label}"):::op'
    style = "frozen" if show.trainable and box.trainable is False else "layer"
    return f'{box.key}["{label}"]:::{style}'


def label_lines(box: Box, show: DisplayOptions) -> list[str]:
    """Returns the lines of text of a box: the title, and the details that `show` selects."""
    lines = [f"{box.name} ({box.class_name})" if show.names else box.class_name]
    return lines + detail_lines(box, show)


def detail_lines(box: Box, show: DisplayOptions) -> list[str]:
    """Returns the lines of text of a box below its title: the details that `show` selects."""
    lines = []
    if show.activations and box.activation is not None:
        lines.append(box.activation)
    if show.shapes:
        outputs = _format_shapes(box.outputs)
        lines.append(outputs if box.is_input else f"{_format_shapes(box.inputs)} → {outputs}")
    if show.dtype:
        lines.append(box.dtype)
    if show.trainable and box.trainable is not None:
        lines.append("trainable" if box.trainable else "frozen")
    return lines


def _format_shapes(shapes: ShapeSummary) -> str:
    """Joins shapes, equal ones as a count: `2 × (None, 9, 9, 64)`."""
    numbers = Counter(shapes.each)
    return ", ".join(f"{n} × {shape}" if n > 1 else shape for shape, n in numbers.items())


def escape_label(text: str) -> str:
    """Escapes text for a quoted Mermaid label."""
    return _SPECIAL.sub(lambda m: f"#{ord(m[1])};" if m[1] else m[0], text)
