"""The interface of models that are graphs, for training, saving, debugging and visualization."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeGuard

from keras_fn.core.graph import ExecutionPlan
from keras_fn.core.input_binding import InputBinder
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Operation


class PlanLike(Protocol):
    """The interface of an `ExecutionPlan` that runs a graph."""

    def run(
        self,
        values: Sequence[Any],
        training: bool | None = None,
        masks: Sequence[Any] | None = None,
    ) -> list[Any]:
        """Returns a tensor for each output, from a tensor for each input."""
        ...


class PreprocessedInputs(NamedTuple):
    """The inputs of a model after its host preprocessing, as a compiled step passes them to it.

    Attributes:
        values: The tensors at the border between the host preprocessing and the rest of the graph.
    """

    values: list[Any]


class GraphTensorsMixin:
    """The tensors and operations of a graph, for models and functions that hold one."""

    _inputs: list[KerasTensor]
    _outputs: list[KerasTensor]
    _operations: list[Operation]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input tensors, flat."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output tensors, flat."""
        return list(self._outputs)

    @property
    def operations(self) -> list[Operation]:
        """The layers and ops of the graph, those farthest from the outputs first."""
        return list(self._operations)


class GraphModel(Protocol):
    """A model whose call is a graph of layers and ops: the `Functional` model.

    A built `Sequential` model holds one. `get_graph` returns it, for any layer or model.

    Attributes:
        name: The name of the model.
        execution_plan: The graph as a list of steps, and its nodes.
        input_binder: Matches the data of a call with the inputs.
        input_structure: The input tensors, nested as the model's call takes them.
        output_structure: The output tensors, nested as the model's call returns them.
        host_preprocessing: The part that runs on the host, on each batch before the compiled step;
            None if there is none.
        is_long: Whether a compiler needs less time for parts of the graph than for the whole.
    """

    name: str
    execution_plan: ExecutionPlan
    input_binder: InputBinder
    input_structure: Any
    output_structure: Any
    host_preprocessing: Any
    is_long: bool

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input tensors, flat."""
        ...

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output tensors, flat."""
        ...

    @property
    def operations(self) -> list[Operation]:
        """The layers and ops of the graph."""
        ...

    @property
    def is_pure(self) -> bool:
        """Whether inference has no side effects, so that it can run as one compiled function."""
        ...

    def run_inference(self, values: Sequence[Any]) -> Any:
        """Returns the outputs for a tensor of each input's own shape and dtype."""
        ...

    def run_in_parts(self, values: Sequence[Any], training: bool | None) -> list[Any]:
        """Runs the plan of a long graph: compiled in parts, if these pass nothing but tensors."""
        ...

    def pack_outputs(self, outputs: Sequence[Any]) -> Any:
        """Returns flat outputs nested as a call of the model returns them."""
        ...

    def substitute_plan(self, plan: PlanLike) -> AbstractContextManager[None]:
        """Inside the context, calls run `plan` step by step instead of the model's own plan."""
        ...


def get_graph(model: object) -> GraphModel | None:
    """Returns the graph that a call of a layer or model runs.

    Args:
        model: Any object.

    Returns:
        The model itself if it is a `Functional` model, the graph of a built `Sequential` model, and
        None for a subclassed model, a single layer, and anything else.
    """
    return model.execution_graph if isinstance(model, Operation) else None


def is_graph_model(model: object) -> TypeGuard[GraphModel]:
    """Returns whether a model is a graph itself, as `Functional` models are."""
    return isinstance(model, Operation) and model.execution_graph is model
