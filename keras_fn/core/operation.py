"""Operations and nodes: who computes, and each recorded call of it."""

import inspect
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.keras_tensor import ForeignCall, KerasHistory, KerasTensor
from keras_fn.core.naming import auto_name, check_name
from keras_fn.core.scopes import SymbolicScope, context


class Node:
    """One recorded call `operation(*args, **kwargs)` and the tensors that it gives.

    Args:
        operation: What was called. The node enters itself into its `_inbound_nodes`.
        args: Positional arguments, KerasTensors anywhere in them.
        kwargs: Keyword arguments, likewise.
        outputs: The nested structure of KerasTensors that the call returned.
    """

    __slots__ = ("args", "input_tensors", "kwargs", "operation", "output_tensors", "outputs")

    def __init__(self, operation: "Operation", args: tuple, kwargs: dict, outputs: Any):
        self.operation, self.args, self.kwargs = operation, args, kwargs
        self.outputs = outputs
        self.output_tensors: list[KerasTensor] = tree.flatten(outputs)
        self.input_tensors: list[KerasTensor] = [
            x for x in tree.flatten([args, kwargs]) if isinstance(x, KerasTensor)
        ]
        for index, tensor in enumerate(self.output_tensors):
            tensor._keras_history = KerasHistory(operation, len(operation._inbound_nodes), index)
        operation._inbound_nodes.append(self)
        for tensor in self.input_tensors:
            parent = getattr(tensor, "_keras_history", None)
            if parent is not None:
                parent.operation._outbound_nodes.append(self)

    @property
    def parent_nodes(self) -> list["Node"]:
        """The nodes whose tensors this one takes."""
        histories = [t._keras_history for t in self.input_tensors]
        return [h.operation._inbound_nodes[h.node_index] for h in histories]

    @property
    def is_input(self) -> bool:
        """Whether it is an entrance of the graph."""
        return not self.input_tensors

    def __repr__(self) -> str:
        return f"<Node of {self.operation.name}, {len(self.output_tensors)} outputs>"


class Operation:
    """A computation that can be recorded in a graph. Layers are operations, ops make them.

    Subclasses write `call`; `compute_output_spec` follows from it.

    Args:
        name: A name; automatic by default.
    """

    _init_arguments: tuple[tuple, dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any):
        self = super().__new__(cls)
        # What the constructor was given is the config of a class that writes none of its own.
        object.__setattr__(self, "_init_arguments", (args, kwargs))
        return self

    def __init__(self, name: str | None = None):
        self.name = check_name(
            auto_name(type(self).__name__) if name is None else name, type(self).__name__
        )
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if context.now.symbolic:
            return self.compute_output_spec(*args, **kwargs)
        if any(isinstance(x, KerasTensor) for x in tree.flatten([args, kwargs])):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the result. Subclasses write it."""
        raise TypeError(f"{type(self).__name__} has no call() method.")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Infers the result's shape and dtype, and records the call as a node."""
        return self.record(self.compute_output_spec(*args, **kwargs), args, kwargs)

    def record(self, specs: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Enters a call into the graph; returns its outputs, new KerasTensors like `specs`."""
        outputs = tree.map_structure(_recorded, specs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns KerasTensors of the shapes and dtypes that `call` would give.

        Runs `call` on symbolic values; where it uses a framework's own functions, on the
        backend's abstract values.
        """
        return infer(self.call, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values.

        Raises:
            TypeError: An argument is no plain value, so the class must write `get_config`.
        """
        args, kwargs = self._init_arguments
        bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        config = {}
        for key, value in list(bound.arguments.items())[1:]:
            parameter = bound.signature.parameters[key]
            if parameter.kind is parameter.VAR_KEYWORD:
                config.update(value)
            elif parameter.kind is parameter.VAR_POSITIONAL:
                raise self._no_config(key, value)
            else:
                config[key] = value
        for key, value in config.items():
            if not all(x is None or isinstance(x, _PLAIN) for x in tree.flatten(value)):
                raise self._no_config(key, value)
        return config

    def _no_config(self, argument: str, value: Any) -> TypeError:
        cls = type(self).__name__
        return TypeError(
            f"{cls} {self.name!r} cannot be written down: its argument {argument}={value!r} is no "
            f"plain value.\n  fix: give {cls} a get_config() that returns all the arguments of "
            "its constructor, and a from_config() that takes them"
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns an instance made from what `get_config` gave."""
        return cls(**config)

    @property
    def input(self) -> Any:
        """The tensor, or nested tensors, that its one call took."""
        return self._only_node("input").args_structure

    @property
    def output(self) -> Any:
        """The tensor, or nested tensors, that its one call gave."""
        return self._only_node("output").outputs

    def _only_node(self, what: str) -> Any:
        if len(self._inbound_nodes) != 1:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} was called {len(self._inbound_nodes)} times "
                f"in a graph, so it has no single {what}.\n"
                f"  fix: take the tensor that the call you mean returned"
            )
        return _SingleCall(self._inbound_nodes[0])


_PLAIN = (str, int, float, bool, bytes)


class _SingleCall:
    def __init__(self, node: Node):
        self.outputs = node.outputs
        tensors = node.input_tensors
        first = node.args[0] if node.args else None
        whole = first is not None and tree.flatten(first) == tensors
        if not tensors:
            self.args_structure = node.outputs  # an InputLayer
        elif whole:
            self.args_structure = first
        else:
            self.args_structure = tensors[0] if len(tensors) == 1 else tensors


def _recorded(spec: Any) -> KerasTensor:
    if not isinstance(spec, KerasTensor):
        raise TypeError(f"A call on KerasTensors returned {spec!r}, which is no tensor.")
    tensor = KerasTensor(spec.shape, spec.dtype, spec.sparse, spec.ragged)
    tensor._keras_mask = spec._keras_mask
    return tensor


def infer(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Runs `function` for shapes and dtypes only, and returns nested KerasTensors.

    Raises:
        ForeignCall: Outside a layer: the function is no op.
    """
    try:
        with SymbolicScope():
            return tree.map_structure(_as_spec, function(*args, **kwargs))
    except Exception as error:
        if not _is_foreign(error):
            raise
    return current().abstract_eval(function, args, kwargs)


def _is_foreign(error: BaseException) -> bool:
    """Whether it was not our code that refused: a framework, NumPy, or the layer's own lines."""
    if isinstance(error, ForeignCall):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return module.partition(".")[0] != "keras_fn"


def _as_spec(value: Any) -> Any:
    if value is None or isinstance(value, KerasTensor):
        return value
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return KerasTensor(tuple(value.shape), current().dtype_name(value), record_history=False)
    return value
