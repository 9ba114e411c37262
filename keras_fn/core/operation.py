"""Operations and nodes: computations, and their recorded calls in a graph."""

import inspect
from collections.abc import Callable
from typing import Any, cast

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.construction import SetByInit
from keras_fn.core.keras_tensor import KerasHistory, KerasTensor, SymbolicConversionError
from keras_fn.core.named_dims import set_dim_names
from keras_fn.core.naming import auto_name, check_name
from keras_fn.core.scopes import SymbolicScope, context
from keras_fn.core.sparse import is_sparse
from keras_fn.errors import DTypeError
from keras_fn.types import Nested


class Node:
    """A recorded call `operation(*args, **kwargs)` and its output tensors.

    Args:
        operation: The operation. The node appends itself to its `_inbound_nodes`.
        args: Positional arguments, with KerasTensors anywhere in nested structures.
        kwargs: Keyword arguments, with KerasTensors anywhere in nested structures.
        outputs: The output KerasTensors, nested as the call returned them.

    Attributes:
        is_repeat: Whether the node repeats another one for a graph with other inputs, so that it is
            no call by itself.
    """

    __slots__ = (
        "args",
        "input_tensors",
        "is_repeat",
        "kwargs",
        "operation",
        "output_tensors",
        "outputs",
    )

    def __init__(self, operation: "Operation", args: tuple, kwargs: dict, outputs: Nested):
        self.operation, self.args, self.kwargs = operation, args, kwargs
        self.outputs, self.is_repeat = outputs, False
        self.output_tensors: list[KerasTensor] = tree.flatten(outputs)
        self.input_tensors: list[KerasTensor]
        if len(args) == 1 and not kwargs and isinstance(args[0], KerasTensor):
            self.input_tensors = [args[0]]
        else:
            leaves = tree.flatten([args, kwargs])
            self.input_tensors = [x for x in leaves if isinstance(x, KerasTensor)]
        for tensor in self.input_tensors:
            if tensor.dim_names is not None:
                set_dim_names(operation, args, kwargs, self.output_tensors)
                break
        self.register()

    def register(self) -> None:
        """Adds the node to the operations that it connects, as the newest call of its own."""
        operation = self.operation
        for index, tensor in enumerate(self.output_tensors):
            tensor._keras_history = KerasHistory(operation, len(operation._inbound_nodes), index)
        operation._inbound_nodes.append(self)
        for tensor in self.input_tensors:
            parent = getattr(tensor, "_keras_history", None)
            if parent is not None:
                parent.operation._outbound_nodes.append(self)

    @property
    def parent_nodes(self) -> list["Node"]:
        """The nodes that compute the inputs."""
        nodes = []
        for tensor in self.input_tensors:
            history = getattr(tensor, "_keras_history", None)
            if history is not None:
                nodes.append(history.operation._inbound_nodes[history.node_index])
        return nodes

    @property
    def is_input(self) -> bool:
        """Whether the node is an input of the graph."""
        return not self.input_tensors

    def __repr__(self) -> str:
        return f"<Node of {self.operation.name}, {len(self.output_tensors)} outputs>"


class Operation:
    """Base of layers and ops: a computation whose calls on KerasTensors are recorded in a graph.

    Subclasses implement `call`; `compute_output_spec` follows from it.

    Args:
        name: Name of the operation; automatic by default.

    Raises:
        ValueError: The name is empty, too long, or has a slash.

    Example:
        >>> class Double(keras.Operation):
        ...     def call(self, x):
        ...         return x * 2
        >>> Double()(keras.KerasTensor((None, 3))).shape
        (None, 3)
    """

    _init_arguments: tuple[tuple, dict[str, Any]]
    _inbound_nodes: list[Node]
    _outbound_nodes: list[Node]
    name: str = cast(Any, SetByInit())
    # The graph that a call runs, for `core.graph_model.get_graph`: models with one override it.
    execution_graph: Any = None

    def __new__(cls, *args: Any, **kwargs: Any):
        self = super().__new__(cls)
        # The constructor's arguments are the config of a class without a `get_config`.
        object.__setattr__(self, "_init_arguments", (args, kwargs))
        object.__setattr__(self, "_inbound_nodes", [])
        object.__setattr__(self, "_outbound_nodes", [])
        return self

    def __init__(self, name: str | None = None):
        self.name = check_name(
            auto_name(type(self).__name__) if name is None else name, type(self).__name__
        )

    def __getstate__(self) -> dict[str, Any]:
        return without_nodes(super().__getstate__())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if context.current.symbolic:
            return self.compute_output_spec(*args, **kwargs)
        if any(isinstance(x, KerasTensor) for x in tree.flatten([args, kwargs])):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Nested, **kwargs: Any) -> Any:
        """Computes the result. Subclasses override it.

        Args:
            *args: Tensors and other arguments.
            **kwargs: Tensors and other arguments.

        Raises:
            TypeError: The class does not override it.
        """
        raise DTypeError(
            type(self).__name__,
            expected="a class with a method call()",
            received=f"{type(self).__name__}, which does not define it",
            fix="add def call(self, x): ...",
        )

    def symbolic_call(self, *args: Nested, **kwargs: Any) -> Any:
        """Records a call on KerasTensors as a node of the graph.

        Args:
            *args: KerasTensors, nested, and other arguments.
            **kwargs: KerasTensors, nested, and other arguments.

        Returns:
            The output KerasTensors, nested as `call` returns its tensors.
        """
        return self.add_node(self.compute_output_spec(*args, **kwargs), args, kwargs)

    def add_node(self, specs: Nested, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Adds a call to the graph, and returns its outputs: new KerasTensors like `specs`."""
        outputs = tree.map_structure(_to_output, specs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Nested, **kwargs: Any) -> Any:
        """Infers the shapes and dtypes of the outputs.

        Runs `call` on symbolic values, or on abstract values of the backend if `call` uses
        functions of the framework.

        Args:
            *args: Tensors or KerasTensors, nested, and other arguments.
            **kwargs: Tensors or KerasTensors, nested, and other arguments.

        Returns:
            KerasTensors, nested as `call` returns its tensors.
        """
        return infer_spec(self.call, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain values, with the name if it takes one.

        Raises:
            TypeError: An argument is not a plain value, so the class must define `get_config`.
        """
        args, kwargs = self._init_arguments
        signature = inspect.signature(type(self).__init__)
        received = signature.bind(self, *args, **kwargs).arguments
        config, takes_name = {}, False
        for key, parameter in list(signature.parameters.items())[1:]:
            takes_any = parameter.kind is parameter.VAR_KEYWORD
            takes_name = takes_name or takes_any or key == "name"
            if takes_any:
                config.update(received.get(key, {}))
            elif key not in received:
                continue
            elif parameter.kind is parameter.VAR_POSITIONAL:
                raise self._config_error(key, received[key])
            else:
                config[key] = received[key]
        for key, value in config.items():
            if not all(x is None or isinstance(x, _PLAIN) for x in tree.flatten(value)):
                raise self._config_error(key, value)
        return {**config, "name": self.name} if takes_name else config

    def _config_error(self, argument: str, value: Any) -> DTypeError:
        cls = type(self).__name__
        return DTypeError(
            f"{cls} {self.name!r}",
            expected="constructor arguments that are plain values, for its config",
            received=f"{argument}={value!r}"[:300],
            fix=f"define {cls}.get_config(), which returns the constructor's arguments, and "
            "from_config(), which takes them",
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns an instance created from a config.

        Args:
            config: The result of `get_config`.
        """
        return cls(**config)

    @property
    def input(self) -> Any:
        """The input tensor, or nested input tensors, of the operation's only call."""
        return self._single_node("input").args_structure

    @property
    def output(self) -> Any:
        """The output tensor, or nested output tensors, of the operation's only call."""
        return self._single_node("output").outputs

    def _single_node(self, what: str) -> Any:
        calls = [node for node in self._inbound_nodes if not node.is_repeat]
        if len(calls) != 1:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} was called {len(calls)} times "
                f"in a graph, so it does not have a single {what}.\n"
                "  fix: use the tensors of the call itself"
            )
        return _SingleNodeView(calls[0])


_PLAIN = (str, int, float, bool, bytes)
_PACKAGE = __name__.partition(".")[0]


def without_nodes(state: Any) -> dict[str, Any]:
    """Returns the state of an operation for copies and pickles, without its nodes.

    The plan of a graph restores them (`core.graph`). If each operation referred to its nodes, a
    copy would recurse from layer to layer.
    """
    return {key: x for key, x in state.items() if key not in ("_inbound_nodes", "_outbound_nodes")}


class _SingleNodeView:
    """The inputs and outputs of an operation that was called once."""

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


def _to_output(spec: Any) -> KerasTensor:
    if not isinstance(spec, KerasTensor):
        raise DTypeError(
            "A call on KerasTensors",
            expected="tensors as its result",
            received=repr(spec)[:300],
            fix="return tensors, in lists, tuples or dicts",
        )
    tensor = spec.copy_spec(record_history=True)
    if spec._keras_mask is not None:
        tensor._keras_mask = spec._keras_mask
    return tensor


def infer_spec(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """Infers the shapes and dtypes of a function's results.

    Args:
        function: A function of tensors.
        args: Its positional arguments: tensors, KerasTensors, nested, and other values.
        kwargs: Its keyword arguments.

    Returns:
        KerasTensors, nested as the function returns its tensors.
    """
    try:
        with SymbolicScope():
            return tree.map_structure(_as_spec, function(*args, **kwargs))
    except Exception as error:
        if not _raised_outside_frontend(error):
            raise
    return current().abstract_eval(function, args, kwargs)


def _raised_outside_frontend(error: BaseException) -> bool:
    """Returns whether an error came from a framework, NumPy or user code, not from this package."""
    if isinstance(error, SymbolicConversionError):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return module.partition(".")[0] != _PACKAGE


def _as_spec(value: Any) -> Any:
    if value is None or isinstance(value, KerasTensor):
        return value
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        dtype = current().dtype_name(value)
        return KerasTensor(tuple(value.shape), dtype, is_sparse(value), record_history=False)
    return value
