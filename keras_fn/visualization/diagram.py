"""What is drawn of a model: boxes, the edges between them, and nested models as diagrams inside."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any, NamedTuple

from keras_fn.core import tree
from keras_fn.core.graph import node_of
from keras_fn.core.graph_model import get_graph, is_graph_model
from keras_fn.core.operation import Node, Operation
from keras_fn.ops._op import OpNode, class_name


class DisplayOptions(NamedTuple):
    """What a box says beside its class."""

    names: bool = True
    shapes: bool = False
    dtype: bool = False
    activations: bool = False
    trainable: bool = False


class ShapeSummary(NamedTuple):
    """Shapes in words, and those of the single tensors."""

    text: str
    each: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Box:
    """One operation of a model: a layer, an op, or a nested model that is not expanded."""

    key: str
    name: str
    class_name: str
    family: str
    is_input: bool
    inputs: ShapeSummary
    outputs: ShapeSummary
    dtype: str
    activation: str | None
    trainable: bool | None  # None: it has no weights


@dataclass(frozen=True, eq=False)
class Diagram:
    """A model: what it is made of, and edges between boxes, its own or of diagrams inside."""

    key: str
    name: str
    items: "list[Box | Diagram]"
    edges: list[tuple[str, str]]


def build_diagram(model: Any, expand_nested: bool = False) -> Diagram:
    """Returns the diagram of a model; a model that is no graph is a single box."""
    item = _DiagramBuilder(expand_nested).model(model).item
    return item if isinstance(item, Diagram) else Diagram("g", model.name, [item], [])


class _SubDiagram(NamedTuple):
    """An item, and the boxes in it that take its inputs and give its outputs."""

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
        self.boxes, self.diagrams = count(), count()

    def part(self, operation: Any, inside: set[int]) -> _SubDiagram:
        if self.expand_nested and (is_graph(operation) or _stack(operation)):
            return self.model(operation)
        return self.box(operation, inside)

    def box(self, operation: Any, inside: set[int]) -> _SubDiagram:
        key = f"n{next(self.boxes)}"
        return _SubDiagram(_box(key, operation, get_calls(operation, inside)), [key], [key])

    def model(self, model: Any) -> _SubDiagram:
        if is_graph(model):
            return self.graph(model)
        if _stack(model):
            return self.stack(model)
        return self.box(model, set())

    def stack(self, model: Any) -> _SubDiagram:
        """A Sequential is a chain of its layers, with no box for the input."""
        key, inside = f"g{next(self.diagrams)}", get_node_ids(model)
        parts = [self.part(layer, inside) for layer in model.layers]
        edges = [(a.exit(0), b.entry(0)) for a, b in pairwise(parts)]
        diagram = Diagram(key, model.name, [part.item for part in parts], edges)
        return _SubDiagram(diagram, parts[0].entries, parts[-1].exits)

    def graph(self, model: Any) -> _SubDiagram:
        key, inside = f"g{next(self.diagrams)}", get_node_ids(model)
        parts = {id(op): self.part(op, inside) for op in model.operations}

        def source(tensor: Any) -> str:
            history = tensor._keras_history
            return parts[id(history.operation)].exit(history.tensor_index)

        edges = [
            (source(tensor), parts[id(operation)].entry(index))
            for operation in model.operations
            for node in get_calls(operation, inside)
            for index, tensor in enumerate(node.input_tensors)
        ]
        entries = [parts[id(t._keras_history.operation)].entry(0) for t in model.inputs]
        items = [part.item for part in parts.values()]
        diagram = Diagram(key, model.name, items, list(dict.fromkeys(edges)))
        return _SubDiagram(diagram, entries, [source(t) for t in model.outputs])


def is_graph(model: Any) -> bool:
    """Whether a model is a Functional one."""
    return is_graph_model(model)


def _stack(model: Any) -> bool:
    """Whether a model is a Sequential one, with something in it."""
    return get_graph(model) is not None and not is_graph(model) and bool(model.layers)


def get_node_ids(model: Any) -> set[int]:
    """Returns the ids of the calls that a model is made of: its layers may be called elsewhere."""
    graph = get_graph(model)
    if graph is None:
        return set()
    return {id(node) for node in graph.execution_plan.nodes} | {id(node_of(t)) for t in graph.inputs}


def get_calls(operation: Operation, inside: set[int]) -> list[Node]:
    """Returns the calls of an operation in a model, or all that are known if the model has none."""
    nodes = operation._inbound_nodes
    return [node for node in nodes if id(node) in inside] or list(nodes)


def _box(key: str, operation: Any, nodes: list[Node]) -> Box:
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
        inputs=_shapes(_only(node.input_tensors) for node in nodes),
        outputs=_shapes(node.outputs for node in nodes),
        dtype=", ".join(dict.fromkeys(t.dtype for t in outputs)) or "?",
        activation=activation,
        trainable=operation.trainable if getattr(operation, "weights", None) else None,
    )


def _only(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def _shapes(structures: Iterable[Any]) -> ShapeSummary:
    """Describes the tensors of the calls of one operation: each different shape once."""
    structures = list(structures)
    texts = dict.fromkeys(_shape_text(s) for s in structures)
    each = [str(x.shape) for s in structures[:1] for x in tree.flatten(s) if hasattr(x, "shape")]
    if len(texts) > 1:
        each = list(texts)
    return ShapeSummary(" or ".join(texts) or "?", tuple(each) or ("?",))


def _shape_text(structure: Any) -> str:
    if isinstance(structure, dict):
        return ", ".join(f"{key}: {_shape_text(value)}" for key, value in structure.items())
    if isinstance(structure, (list, tuple)):
        return f"[{', '.join(map(_shape_text, structure))}]"
    return str(getattr(structure, "shape", structure))


def _family(operation: Operation) -> str:
    """Returns the package of a layer, such as `convolutional`, "op" of an op, else "custom"."""
    if isinstance(operation, OpNode):
        return "op"
    parts = type(operation).__module__.split(".")
    if parts[:2] == ["keras_fn", "layers"] and len(parts) > 2:
        return parts[2]
    return parts[1] if parts[0] == "keras_fn" and len(parts) > 1 else "custom"
