"""Feature extraction: models that return inner tensors of another model."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.core.graph import ExecutionPlan
from keras_fn.core.graph_model import GraphModel, get_graph
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node
from keras_fn.errors import DTypeError, SpecError, find_similar
from keras_fn.models.functional import Functional
from keras_fn.types import Nested

_Compute = Callable[[Sequence[KerasTensor]], list[Any]]


def extract_features(model: Any, outputs: Nested, name: str | None = None) -> Functional:
    """Returns the model from the inputs of a model to inner tensors of it; `Model.extract`.

    Args:
        model: A Functional model, or a Sequential model that is built.
        outputs: Paths of layers, nested as the model is to return their outputs.
        name: The name of the new model.
    """
    source = f"{model._label}, extract"
    graph = get_graph(model)
    if graph is None:
        is_open = model._is_stack and not model.built
        raise SpecError(
            source,
            expected="a model that is a graph of layers",
            received="a Sequential model without shapes" if is_open else "a subclassed model",
            fix="build it, or begin it with an Input"
            if is_open
            else "call extract on a Functional or Sequential model inside it",
        )
    existing = {id(node) for node in graph.execution_plan.nodes}

    def find(path: Any) -> Any:
        if not isinstance(path, str):
            raise DTypeError(
                source,
                expected="paths of layers as text, nested in lists or dicts",
                received=f"{type(path).__name__} {path!r}"[:200],
                fix='for example extract("encoder/conv2d_3")',
            )
        return _find_outputs(graph, path.split("/"), list, f"{source} of {path!r}")

    found = tree.map_structure(find, outputs)
    features = Functional(_select_inputs(graph, found, source), found, name=name)
    for node in features.execution_plan.nodes:
        if id(node) not in existing:
            node.is_repeat = True  # of a call inside a nested model
    return features


def _find_outputs(graph: GraphModel, path: list[str], compute: _Compute, source: str) -> Any:
    """Returns the outputs of the call at a path.

    Args:
        graph: The model in which the path begins.
        path: Names of nested models, and of a layer.
        compute: Returns tensors of the graph as tensors of the outermost one.
        source: What is extracted, for error messages.
    """
    name, *rest = path
    node = _find_node(graph, name, source)
    if not rest:
        return tree.unflatten(node.outputs, compute(node.output_tensors))
    inner = get_graph(node.operation)
    if inner is None:
        raise SpecError(
            source,
            expected=f"{name!r} as a model that is a graph of layers",
            received=f"a {type(node.operation).__name__}, whose inner tensors are not in the graph",
            fix=f"end the path at {name!r}",
        )
    tensors = iter(compute([x for x in tree.flatten(node.args) if isinstance(x, KerasTensor)]))
    args = tree.map_structure(
        lambda x: next(tensors) if isinstance(x, KerasTensor) else x, node.args
    )
    values = inner.input_binder.bind(args[0] if args else None)
    training = node.kwargs.get("training")

    def compute_inside(inside: Sequence[KerasTensor]) -> list[Any]:
        return ExecutionPlan(inner.inputs, inside, source).run(values, training)

    return _find_outputs(inner, rest, compute_inside, source)


def _find_node(graph: GraphModel, name: str, source: str) -> Node:
    """Returns the call that a part of a path names: `"layer"`, or `"layer:1"` for its second."""
    nodes = graph.execution_plan.nodes
    calls = {op.name: [n for n in nodes if n.operation is op] for op in graph.operations}
    for tensor in graph.inputs:
        history = tensor._keras_history
        calls[history.operation.name] = [history.operation._inbound_nodes[history.node_index]]
    layer, _, number = name.rpartition(":")
    if name not in calls and layer in calls and number.isdecimal():
        if int(number) < len(calls[layer]):
            return calls[layer][int(number)]
    elif name in calls:
        if len(calls[name]) == 1:
            return calls[name][0]
        raise SpecError(
            source,
            expected=f"one call of {name!r}",
            received=f"a layer that {graph.name!r} calls {len(calls[name])} times",
            fix=f"choose one: {name}:0 to {name}:{len(calls[name]) - 1}",
        )
    known = calls.get(layer, [])
    close = find_similar(name, calls) or list(calls)[:10]
    raise SpecError(
        source,
        expected=f"a call of {layer!r} from 0 to {len(known) - 1}"
        if known
        else f"the name of a layer or op of {graph.name!r}",
        received=repr(name),
        fix=f"{layer}:{len(known) - 1} is the last one"
        if known
        else f"for example {', '.join(map(repr, close))}",
    )


def _select_inputs(graph: GraphModel, outputs: Nested, source: str) -> Any:
    """Returns the inputs that the outputs depend on, nested as the graph's."""
    leaves: list[Any] = tree.flatten(outputs)
    nodes = ExecutionPlan(graph.inputs, leaves, source).nodes
    used = {id(t) for t in leaves} | {id(t) for node in nodes for t in node.input_tensors}
    structure = graph.input_structure
    if type(structure) is dict:
        chosen: Any = {key: t for key, t in structure.items() if id(t) in used}
    elif isinstance(structure, (list, tuple)):
        chosen = [t for t in structure if id(t) in used]
    else:
        return structure
    is_flat = all(isinstance(t, KerasTensor) for t in tree.flatten(chosen)) and len(
        tree.flatten(structure)
    ) == len(structure)
    return chosen if is_flat and chosen else structure
