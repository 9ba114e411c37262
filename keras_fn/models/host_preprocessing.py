"""The part of a graph that computes on the host, on each batch before the compiled step."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.graph import ExecutionPlan
from keras_fn.core.graph_model import get_graph
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation
from keras_fn.core.ragged import PaddedBatch, get_samples, is_ragged, pad_samples


class HostPreprocessing:
    """The split of a graph: the steps on the host, and the graph that is left for compiled steps.

    Layers that run on the host (of text, hashes), and everything that they are computed from, are
    on the host; the rest of the graph begins with the tensors at the border.

    Args:
        graph: The Functional model.
    """

    def __init__(self, graph: Any):
        self.graph = graph

    def __getstate__(self) -> dict[str, Any]:
        return {"graph": self.graph}

    @cached_property
    def _split(self) -> tuple[ExecutionPlan, list[int], list[KerasTensor], Any]:
        """The plan of the host, which inputs pass the border, its tensors, and the device graph."""
        graph = self.graph
        outputs = _flatten_nested(graph)
        inputs, flat = graph.inputs, tree.flatten(outputs)
        plan = ExecutionPlan(inputs, flat, graph.name)
        host = _find_host_nodes(plan.nodes)
        made = {id(t) for node in plan.nodes if id(node) in host for t in node.output_tensors}
        needed = [t for n in plan.nodes if id(n) not in host for t in n.input_tensors] + flat
        given = {id(t) for t in inputs}
        border = list({id(t): t for t in needed if id(t) in made or id(t) in given}.values())
        computed = [t for t in border if id(t) in made]
        host_plan = ExecutionPlan(inputs, computed, graph.name)
        passed = [i for i, t in enumerate(inputs) if any(t is b for b in border)]
        border = [inputs[i] for i in passed] + computed
        structure = border if len(border) > 1 else border[0]
        device_graph = type(graph)._functional_base(
            structure, outputs, name=graph.name, dtype=graph.dtype_policy
        )
        return host_plan, passed, border, device_graph

    @property
    def device_graph(self) -> Any:
        """The rest of the graph as a Functional model, from the tensors at the border on."""
        return self._split[3]

    @property
    def border(self) -> list[KerasTensor]:
        """The tensors at the border: the inputs of the device graph."""
        return self._split[2]

    @property
    def is_whole(self) -> bool:
        """Whether the graph ends on the host, as with text for outputs: no step is compiled."""
        return any(t.dtype == "string" for t in self.border)

    def run(self, values: Sequence[Any]) -> list[Any]:
        """Computes the tensors at the border for a batch.

        Args:
            values: For each input of the model, an array on the host, a tensor, or None.

        Returns:
            Arrays and tensors, as a compiled step takes them.
        """
        plan, passed, border, _ = self._split
        plain = [v.values if isinstance(v, PaddedBatch) else v for v in values]
        computed = plan.run(plain, False, call=_host_call)
        results = [*(values[i] for i in passed), *computed]
        return [_to_step(x, spec.dtype) for x, spec in zip(results, border, strict=True)]


def has_host_layers(operations: Sequence[Operation], inputs: Sequence[KerasTensor]) -> bool:
    """Returns whether a graph has layers that compute on the host, or text for inputs.

    Args:
        operations: The operations of the graph.
        inputs: Its input tensors.
    """
    return any(t.dtype == "string" for t in inputs) or any(map(_is_on_host, operations))


def _is_on_host(operation: Any) -> bool:
    graph = operation.execution_graph
    return getattr(operation, "_runs_on_host", False) or (
        graph is not None and graph.host_preprocessing is not None
    )


def _flatten_nested(graph: Any) -> Any:
    """Returns the outputs of a graph, in which no nested model has layers on the host."""
    if not any(op.execution_graph is not None and _is_on_host(op) for op in graph.operations):
        return graph.output_structure

    def call(operation: Any) -> Any:
        nested = get_graph(operation)
        if nested is None or not _is_on_host(operation):
            return operation

        def run(inputs: Any, training: bool | None = None, **_: Any) -> Any:
            values = nested.input_binder.bind(inputs)
            return nested.pack_outputs(nested.execution_plan.run(values, training, call=call))

        return run

    outputs = graph.execution_plan.run(graph.inputs, call=call)
    for node in ExecutionPlan(graph.inputs, outputs, graph.name).nodes:
        node.is_repeat = True
    return tree.unflatten(graph.output_structure, outputs)


def _find_host_nodes(nodes: Sequence[Node]) -> set[int]:
    """Returns the ids of the nodes that run on the host, and of those that they depend on."""
    host: set[int] = set()
    needed: set[int] = set()  # ids of tensors
    for node in reversed(nodes):  # consumers before producers
        tensors = [*node.input_tensors, *node.output_tensors]
        is_text = any(t.dtype == "string" for t in tensors)
        is_needed = any(id(t) in needed for t in node.output_tensors)
        if is_needed or is_text or getattr(node.operation, "_runs_on_host", False):
            host.add(id(node))
            needed.update(map(id, node.input_tensors))
    return host


def _host_call(operation: Any) -> Any:
    """Returns the function that runs an operation on the host: its arrays do not become tensors."""
    if not getattr(operation, "_runs_on_host", False):
        return operation

    def run(inputs: Any) -> Any:
        outputs = operation.run_on_host(inputs)
        return outputs if isinstance(outputs, np.ndarray) else operation._from_host(outputs)

    return run


def _to_step(x: Any, dtype: str) -> Any:
    """Returns a result in the form that a step takes fastest."""
    if not isinstance(x, np.ndarray) or dtype == "string":
        return x if x is None or isinstance(x, (np.ndarray, PaddedBatch)) else _to_tensor(x)
    return current().prepare_host_batch(x.astype(numpy_dtype(dtype), copy=False))


def _to_tensor(x: Any) -> Any:
    if is_ragged(x):
        padded = pad_samples(get_samples(x, "A ragged tensor"))
        return PaddedBatch(*map(current().prepare_host_batch, padded))
    return x if current().is_tensor(x) else current().convert_to_tensor(x)
