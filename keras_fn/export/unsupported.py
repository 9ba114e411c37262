"""Which layer is the reason that a model cannot be exported."""

import re
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from keras_fn.core import tree
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.graph_model import get_graph
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation
from keras_fn.errors import KerasError, SpecError
from keras_fn.export.formats import ExportFormat
from keras_fn.layers.layer import Layer

_REASON_CHARACTERS = 300


def explain_failure(
    error: Exception, model: Layer, row: ExportFormat, fails: Callable[[Endpoint], bool]
) -> Exception:
    """Returns the error to raise when the writer of a format failed.

    Args:
        error: What it raised.
        model: The model that is exported.
        row: The format.
        fails: Whether an endpoint, exported alone, fails, too.

    Returns:
        The error itself if it is for the user already, or the operating system's. Otherwise one
        that names the layer: where the error was raised, or the first call of the graph that fails
        alone.
    """
    is_system = isinstance(error, OSError) and error.errno is not None
    if isinstance(error, (KerasError, ImportError)) or is_system:
        return error
    found = _raising_layer(error.__traceback__, model) or _failing_operation(model, fails)
    what = model._label if found is None else _describe(found)
    return SpecError(
        f"{model._label} cannot be exported to {row.name!r}",
        expected=f"layers whose computation {row.description} can say",
        received=f"{what}: {_first_line(error)}",
        fix="replace the layer, give axes that are None a size with input_signature=, or export to "
        "another format",
    )


def _raising_layer(traceback: TracebackType | None, model: Layer) -> Layer | None:
    """Returns the innermost layer of the model, other than a graph, whose call raised an error."""
    known = {id(layer) for layer in model._flatten_layers(include_self=False)}
    found = None
    while traceback is not None:
        owner = traceback.tb_frame.f_locals.get("self")
        if id(owner) in known and get_graph(owner) is None:
            found = owner
        traceback = traceback.tb_next
    return found


def _failing_operation(model: Layer, fails: Callable[[Endpoint], bool]) -> Operation | None:
    """Returns the first layer or op of the graph whose call cannot be exported alone."""
    return next((n.operation for n in _calls(model) if fails(_call_endpoint(n))), None)


def _calls(model: object) -> Iterator[Node]:
    """Yields the calls of a graph, and of the graphs inside, in the order in which they run."""
    graph = get_graph(model)
    for node in graph.execution_plan.nodes if graph is not None else ():
        if get_graph(node.operation) is not None:
            yield from _calls(node.operation)
        elif not node.is_input:
            yield node


def _call_endpoint(node: Node) -> Endpoint:
    """Returns an endpoint that makes one call of a graph again."""
    operation, arguments = node.operation, [node.args, node.kwargs]
    leaves = tree.flatten(arguments)
    positions = [i for i, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]

    def call(*tensors: Any) -> Any:
        values = list(leaves)
        for i, tensor in zip(positions, tensors, strict=True):
            values[i] = tensor
        args, kwargs = tree.unflatten(arguments, values)
        return operation(*args, **kwargs)

    names = [f"input_{i}" for i in range(len(positions))]
    specs = [leaves[i] for i in positions]
    variables = operation.variables if isinstance(operation, Layer) else ()
    return Endpoint("serve", _describe(operation), call, specs, names, None, variables)


def _describe(operation: Operation) -> str:
    kind = "layer" if isinstance(operation, Layer) else "op"
    return f"{type(operation).__name__} {kind} {operation.name!r}"


def _first_line(error: BaseException) -> str:
    """Returns the kind and the first line of an error, or of the one that caused it."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = re.sub(r"\x1b\[[0-9;]*m", "", lines[0]) if lines else ""
    return f"{type(error).__name__}: {text}"[:_REASON_CHARACTERS]
