"""A model as a diagram: boxes, edges between them, and nested models as diagrams inside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any, NamedTuple

from keras_fn.core import tree
from keras_fn.core.graph import node_of
from keras_fn.core.graph_model import get_graph, is_graph_model
from keras_fn.core.named_dims import format_shape
from keras_fn.core.operation import Node, Operation
from keras_fn.ops._op import OpNode, class_name
from keras_fn.types import AnyModel


class DisplayOptions(NamedTuple):
    """The details that a box displays in addition to its class."""

    names: bool = True
    shapes: bool = False
    dtype: bool = False
    activations: bool = False
    trainable: bool = False


class ShapeSummary(NamedTuple):
    """Shapes of nested tensors, as one text and as one text per tensor."""

    text: str
    each: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Box:
    """A node of a diagram: a layer, an op, or a nested model that is not expanded."""

    key: str
    name: str
    class_name: str
    family: str
    is_input: bool
    inputs: ShapeSummary
    outputs: ShapeSummary
    dtype: str
    activation: str | None
    trainable: bool | None  # None if it has no weights


@dataclass(frozen=True, eq=False)
class Diagram:
    """A model: its boxes and nested diagrams, and the edges between boxes of any depth."""

    key: str
    name: str
    items: list[Box | Diagram]
    edges: list[tuple[str, str]]


def build_diagram(model: AnyModel, expand_nested: bool = False) -> Diagram:
    """Returns the diagram of a model.

    Args:
        model: The model. One that is not a graph of layers becomes a single box.
        expand_nested: Whether nested models become nested diagrams instead of boxes.
    """
    item = _DiagramBuilder(expand_nested).add_model(model).item
    return item if isinstance(item, Diagram) else Diagram("g", model.name, [item], [])


class _SubDiagram(NamedTuple):
    """An item, and its boxes that receive its inputs and return its outputs."""

    item: Box | Diagram
    entries: list[str]
    exits: list[str]

    def entry(self, index: int) -> str:
        return self.entries[min(index, len(self.entries) - 1)]

    def exit(self, index: int) -> str:
        return self.exits[min(index, len(self.exits) - 1)]


class _DiagramBuilder:
    def __init__(self, expand_nested: bool):
        self.expand_nested = expand_nested
        self.box_numbers, self.diagram_numbers = count(), count()

    def add_item(self, operation: Any, node_ids: set[int]) -> _SubDiagram:
        if self.expand_nested and (is_graph_model(operation) or _is_sequential(operation)):
            return self.add_model(operation)
        return self.add_box(operation, node_ids)

    def add_box(self, operation: Any, node_ids: set[int]) -> _SubDiagram:
        key = f"n{next(self.box_numbers)}"
        return _SubDiagram(_make_box(key, operation, get_calls(operation, node_ids)), [key], [key])

    def add_model(self, model: Any) -> _SubDiagram:
        if is_graph_model(model):
            return self.add_graph(model)
        if _is_sequential(model):
            return self.add_sequential(model)
        return self.add_box(model, set())

    def add_sequential(self, model: Any) -> _SubDiagram:
        """Adds a Sequential model: a chain of its layers, without a box for the input."""
        key, node_ids = f"g{next(self.diagram_numbers)}", get_node_ids(model)
        parts = [self.add_item(layer, node_ids) for layer in model.layers]
        edges = [(a.exit(0), b.entry(0)) for a, b in pairwise(parts)]
        diagram = Diagram(key, model.name, [part.item for part in parts], edges)
        return _SubDiagram(diagram, parts[0].entries, parts[-1].exits)

    def add_graph(self, model: Any) -> _SubDiagram:
        key, node_ids = f"g{next(self.diagram_numbers)}", get_node_ids(model)
        parts = {id(op): self.add_item(op, node_ids) for op in model.operations}

        def source(tensor: Any) -> str:
            history = tensor._keras_history
            return parts[id(history.operation)].exit(history.tensor_index)

        edges = [
            (source(tensor), parts[id(operation)].entry(index))
            for operation in model.operations
            for node in get_calls(operation, node_ids)
            for index, tensor in enumerate(node.input_tensors)
        ]
        entries = [parts[id(t._keras_history.operation)].entry(0) for t in model.inputs]
        items = [part.item for part in parts.values()]
        diagram = Diagram(key, model.name, items, list(dict.fromkeys(edges)))
        return _SubDiagram(diagram, entries, [source(t) for t in model.outputs])


def _is_sequential(model: Any) -> bool:
    """Whether a model is a Sequential model, built or not, with at least one layer."""
    may_have_graph = isinstance(getattr(type(model), "execution_graph", None), property)
    return may_have_graph and not is_graph_model(model) and bool(model.layers)


def get_node_ids(model: Any) -> set[int]:
    """Returns the ids of the graph nodes of a model; its layers may have nodes elsewhere too."""
    graph = get_graph(model)
    if graph is None:
        return set()
    nodes = [*graph.execution_plan.nodes, *map(node_of, graph.inputs)]
    return set(map(id, nodes))


def get_calls(operation: Operation, node_ids: set[int]) -> list[Node]:
    """Returns the nodes of an operation in a model; all its nodes if the model has none of them.

    Args:
        operation: A layer, op or nested model.
        node_ids: The ids of the model's nodes; see `get_node_ids`.
    """
    nodes = operation._inbound_nodes
    return [node for node in nodes if id(node) in node_ids] or list(nodes)


def _make_box(key: str, operation: Any, nodes: list[Node]) -> Box:
    outputs = [tensor for node in nodes for tensor in node.output_tensors]
    activation = getattr(operation, "activation", None)
    if activation is not None:
        activation = getattr(activation, "name", None) or getattr(
            activation, "__name__", type(activation).__name__
        )
    return Box(
        key=key,
        name=operation.name,
        class_name=class_name(operation),
        family=_family(operation),
        is_input=bool(nodes) and all(node.is_input for node in nodes),
        inputs=_summarize_shapes(_unwrap_single(node.input_tensors) for node in nodes),
        outputs=_summarize_shapes(node.outputs for node in nodes),
        dtype=", ".join(dict.fromkeys(t.dtype for t in outputs)) or "?",
        activation=activation,
        trainable=operation.trainable if getattr(operation, "weights", None) else None,
    )


def _unwrap_single(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def _summarize_shapes(structures: Iterable[Any]) -> ShapeSummary:
    """Summarizes the tensors of all calls of one operation, each different shape once."""
    structures = list(structures)
    texts = dict.fromkeys(_format_shape(s) for s in structures)
    each = [format_shape(x) for s in structures[:1] for x in tree.flatten(s) if hasattr(x, "shape")]
    if len(texts) > 1:
        each = list(texts)
    return ShapeSummary(" or ".join(texts) or "?", tuple(each) or ("?",))


def _format_shape(structure: Any) -> str:
    if isinstance(structure, dict):
        return ", ".join(f"{key}: {_format_shape(value)}" for key, value in structure.items())
    if isinstance(structure, (list, tuple)):
        return f"[{', '.join(map(_format_shape, structure))}]"
    return format_shape(structure) if hasattr(structure, "shape") else str(structure)


def _family(operation: Operation) -> str:
    """Returns the subpackage of a layer, such as "convolutional"; "op" for an op, else "custom"."""
    if isinstance(operation, OpNode):
        return "op"
    parts = type(operation).__module__.split(".")
    if parts[:2] == ["keras_fn", "layers"] and len(parts) > 2:
        return parts[2]
    return parts[1] if parts[0] == "keras_fn" and len(parts) > 1 else "custom"
