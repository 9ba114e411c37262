"""The Functional model: a graph of layers between input tensors and output tensors."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from keras_fn.backend.contract import SupportsCompileCall
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.graph import ExecutionPlan, find_source_inputs, node_of
from keras_fn.core.graph_model import GraphModel
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation
from keras_fn.core.registry import is_builtin
from keras_fn.core.scopes import context
from keras_fn.errors import SpecError
from keras_fn.layers.core.input_layer import Input, InputLayer
from keras_fn.layers.layer import Layer
from keras_fn.models import functional_config
from keras_fn.models.input_binding import InputBinder
from keras_fn.models.model import Model


class Functional(Model):
    """A model made of a graph. `Model(inputs, outputs)` makes it.

    Args:
        inputs: The input tensors: one, or nested in lists, tuples and dicts.
        outputs: The output tensors, likewise.
        name: A name; automatic by default.
        trainable: Whether optimizers update the weights.

    Raises:
        ValueError: The outputs cannot be computed from the inputs, or two layers share a name.
        TypeError: Something else than KerasTensors came.

    Example:
        >>> x = keras.Input((3,))
        >>> keras.Model(x, keras.layers.Dense(2)(x)).output_shape
        (None, 2)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any):
        Layer.__init__(self, name=name, trainable=kwargs.pop("trainable", True), **kwargs)
        self._start_model()
        source = f"{type(self).__name__} model {self.name!r}"
        _check_tensors(inputs, "inputs", source)
        _check_tensors(outputs, "outputs", source)
        if len({id(t) for t in tree.flatten(inputs)}) != len(tree.flatten(inputs)):
            raise SpecError(
                source,
                expected="each input once",
                received="the same tensor twice",
                fix="list every input tensor a single time",
            )
        inputs, outputs = _with_entrances(inputs, outputs, source)
        self.input_structure, self.output_structure = inputs, outputs
        self._inputs = tree.flatten(inputs)
        self._outputs = tree.flatten(outputs)
        self.execution_plan = ExecutionPlan(self._inputs, self._outputs, source)
        self._operations = _operations_by_depth(_by_key(inputs), _by_key(outputs))
        self._layers = [op for op in self._operations if isinstance(op, Layer)]
        _check_names(self._operations, source)
        self.input_binder = InputBinder(source, inputs, self.input_names, self._inputs)
        self._compiled: Any = None
        self._compiled_shapes: dict[Any, bool] = {}
        self._is_pure: bool | None = None  # None: not known
        self._compiled_call_keys: set[Any] = (
            set()
        )  # specs of inputs that need no check or conversion
        self.supports_masking = True
        self.built = True
        self._set_path()
        self._build_shapes = None
        self._update_loss_tracking()

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_compiled": None,
            "_compiled_shapes": {},
            "_compiled_call_keys": set(),
            "_is_pure": None,
        }

    # ---------------------------------------------------------------- the graph

    @property
    def layers(self) -> list[Layer]:
        """The layers, inputs first, by their distance from the outputs."""
        return list(self._layers)

    @property
    def operations(self) -> list[Operation]:
        """The layers and the ops of the graph."""
        return list(self._operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input tensors, flat."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output tensors, flat."""
        return list(self._outputs)

    @property
    def input(self) -> Any:
        """The input tensors, as they were given."""
        return self.input_structure

    @property
    def output(self) -> Any:
        """The output tensors, as they were given."""
        return self.output_structure

    @property
    def input_shape(self) -> Any:
        """Shapes of the inputs, nested like them."""
        return tree.map_structure(lambda t: t.shape, self.input_structure)

    @property
    def output_shape(self) -> Any:
        """Shapes of the outputs, nested like them."""
        return tree.map_structure(lambda t: t.shape, self.output_structure)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in order: their keys if they came as a dict, else their layers'."""
        return _names(self.input_structure, self._inputs)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in order: their keys if they came as a dict, else their layers'."""
        return _names(self.output_structure, self._outputs)

    # ---------------------------------------------------------------- calling

    @property
    def execution_graph(self) -> GraphModel:
        """The model itself: a call runs its graph."""
        return self

    @property
    def is_pure(self) -> bool:
        """Whether inference has no side effects, so that it can run as one compiled function."""
        if self._is_pure is None:
            self._depend_on(self._flatten_layers(include_self=False))
            self._is_pure = all(_has_no_side_effects(op) for op in self._operations)
        return self._is_pure and type(self.execution_plan) is ExecutionPlan

    def _invalidate_structure(self) -> None:
        super()._invalidate_structure()
        self._is_pure = None

    @contextmanager
    def substitute_plan(self, plan: Any) -> Iterator[None]:
        """Inside the context, calls run `plan` step by step instead of the model's own plan.

        Args:
            plan: An object with the `run` method of an `ExecutionPlan`.
        """
        own_plan, own_keys = self.execution_plan, self._compiled_call_keys
        self.execution_plan, self._compiled_call_keys = plan, set()
        try:
            yield
        finally:
            self.execution_plan, self._compiled_call_keys = own_plan, own_keys

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs the graph.

        Args:
            inputs: Tensors nested like the model's inputs, or a dict of them by name.
            training: Whether layers behave as in training.
            mask: Masks of the inputs, nested like them.

        Returns:
            Tensors nested like the model's outputs.
        """
        values = self.input_binder.bind(inputs)
        masks = None if mask is None else tree.flatten(mask)
        if masks is not None:
            masks = [*masks, *[None] * (len(values) - len(masks))]
        if not training and masks is None:
            run = self._compiled_for(values)
            if run is not None:
                return self.pack_outputs(run(*values))
        return self.pack_outputs(self.execution_plan.run(values, training, masks))

    def run_inference(self, values: Sequence[Any]) -> Any:
        """Returns the outputs of inference for a tensor of each input's own shape and dtype."""
        return self.pack_outputs(self.execution_plan.run(values, False))

    def _fast_call(self, x: Any, training: bool | None, key: Any) -> Any:
        if not training and key in self._compiled_call_keys and self.is_pure:
            return self.pack_outputs(self._compiled(x))
        outputs = self.call(x, training=bool(training))
        compiled = self._compiled is not None and not training
        compiled = compiled and self.input_binder.is_exact_match(x)
        if compiled and self._compiled_shapes.get(((x.shape, x.dtype),)):
            self._compiled_call_keys.add(key)
        return outputs

    def _compiled_for(self, values: Sequence[Any]) -> Any:
        """Returns one compiled function for the whole graph, where these inputs come back.

        A shape compiles when it is seen for the second time: a stream of new shapes does not.
        """
        if (
            not supports("compile_call")
            or self.execution_plan.masked
            or context.current.symbolic
            or not self.is_pure
        ):
            return None
        try:
            key = tuple([(v.shape, v.dtype) for v in values])
            seen = self._compiled_shapes.get(key)
        except (AttributeError, TypeError):
            return None
        if seen:
            return self._compiled
        if seen is None:
            if len(self._compiled_shapes) < _COMPILED_AT_MOST:
                self._compiled_shapes[key] = False
            return None
        if self._compiled is None:
            self._compiled = cast(SupportsCompileCall, current()).compile_call(
                lambda *inputs: self.execution_plan.run(inputs, False), self.variables
            )
        self._compiled_shapes[key] = True
        return self._compiled

    def pack_outputs(self, outputs: Sequence[Any]) -> Any:
        """Returns flat outputs nested as a call of the model returns them.

        Args:
            outputs: A tensor for each output.
        """
        structure = self.output_structure
        if isinstance(structure, KerasTensor):
            return outputs[0]
        if isinstance(structure, dict) and len(structure) == len(outputs):
            return dict(zip(structure, outputs, strict=True))
        if isinstance(structure, (list, tuple)) and len(structure) == 1:
            return tree.unflatten(structure[0], outputs)  # as Keras: a list of one is that one
        return tree.unflatten(structure, outputs)

    def compute_output_spec(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        """Returns the specs of the outputs for inputs of these specs."""
        return super().compute_output_spec(inputs, training=training, mask=mask)

    def build(self, input_shape: Any = None) -> None:
        """A graph is built from the start."""
        self.built = True

    # ---------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Returns the graph as plain values."""
        if not _takes_a_graph(type(self)):
            return super().get_config()
        return functional_config.layer_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a model of that config, with new weights."""
        if "input_layers" not in config:  # what a constructor of the user's own was given
            return super().from_config(config, custom_objects)
        return functional_config.model_from_config(cls, config, custom_objects)


Model._functional_base = Functional
_COMPILED_AT_MOST = 64  # shapes of which a compiled version is kept


def _has_no_side_effects(operation: Operation) -> bool:
    """Whether running the operation has no effect but its result, as far as anyone can see."""
    if not isinstance(operation, Layer):
        return is_builtin(operation)
    if isinstance(operation, Functional) and not operation.is_pure:
        return False
    held = [v for layer in operation._flatten_layers() for v in (layer, *vars(layer).values())]
    # A function of the user, in a Lambda or as an activation, may do anything.
    ours = all(is_builtin(v) for v in held if callable(v))
    return (
        ours
        and operation.activity_regularizer is None
        and not operation._updates_state_at_inference
    )


def _takes_a_graph(cls: type) -> bool:
    """Whether the constructor is that of a graph, rather than one of the user's own."""
    parameters = list(inspect.signature(cls.__init__).parameters)[1:]
    return parameters[:2] == ["inputs", "outputs"] or parameters[:2] == ["args", "kwargs"]


def _names(structure: Any, tensors: Sequence[KerasTensor]) -> list[str]:
    if isinstance(structure, dict) and len(structure) == len(tensors):
        return [str(key) for key in structure]
    return [t._keras_history.operation.name for t in tensors]


def _check_tensors(structure: Any, what: str, source: str) -> None:
    leaves = tree.flatten(structure)
    wrong = [x for x in leaves if not isinstance(x, KerasTensor)]
    if not leaves or wrong:
        received = f"{type(wrong[0]).__name__} {wrong[0]!r}"[:200] if wrong else "none"
        raise TypeError(
            f"{source}\n  expected: {what} that are KerasTensors, from keras_fn.Input or a layer's "
            f"call on one\n  received: {received}\n  fix:      build {what} from Input(shape=...)"
        )


def _with_entrances(inputs: Any, outputs: Any, source: str) -> tuple[Any, Any]:
    """Puts an Input in the place of input tensors from the middle of a graph."""
    flat = tree.flatten(inputs)
    if all(isinstance(t._keras_history.operation, InputLayer) for t in flat):
        return inputs, outputs
    plan = ExecutionPlan(flat, tree.flatten(outputs), source)
    fresh = [
        t
        if isinstance(t._keras_history.operation, InputLayer)
        else Input(batch_shape=t.shape, dtype=t.dtype, name=t.name)
        for t in flat
    ]
    results = plan.run(fresh)
    return tree.unflatten(inputs, fresh), tree.unflatten(outputs, results)


def _operations_by_depth(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]
) -> list[Operation]:
    """Returns the operations, farthest from the outputs first; Keras's order, which files keep."""
    order: list[Node] = []  # producers before consumers
    index: dict[int, int] = {}  # operation: when it was first met, from the outputs
    done: set[int] = set()
    entrances = {id(t) for t in inputs}
    stack = [(node_of(t), False) for t in reversed(outputs)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
            continue
        if id(node) in done:
            continue
        done.add(id(node))
        index.setdefault(id(node.operation), len(index))
        stack.append((node, True))
        if any(id(t) in entrances for t in node.output_tensors):
            continue
        stack += [
            (parent, False) for parent in reversed(node.parent_nodes) if id(parent) not in done
        ]
    depths: dict[int, int] = {}
    operations: dict[int, Operation] = {}
    for node in reversed(order):
        operation = node.operation
        operations[id(operation)] = operation
        depth = max(depths.get(id(node), 0), depths.get(id(operation), 0))
        depths[id(node)] = depths[id(operation)] = depth
        if not any(id(t) in entrances for t in node.output_tensors):
            for parent in node.parent_nodes:
                depths[id(parent)] = max(depth + 1, depths.get(id(parent), 0))
    for tensor in inputs:
        operation = tensor._keras_history.operation
        operations.setdefault(id(operation), operation)
        depths.setdefault(id(operation), 0)
        index.setdefault(id(operation), -1)
    return sorted(operations.values(), key=lambda op: (-depths[id(op)], index[id(op)]))


def _by_key(structure: Any) -> list[KerasTensor]:
    """The tensors, those of a dict by its sorted keys: files of weights count layers so."""
    if isinstance(structure, dict):
        return [t for key in sorted(structure, key=str) for t in _by_key(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [t for item in structure for t in _by_key(item)]
    return [structure]


def _check_names(operations: Sequence[Operation], source: str) -> None:
    seen: dict[str, Operation] = {}
    for operation in operations:
        other = seen.setdefault(operation.name, operation)
        if other is not operation:
            raise SpecError(
                source,
                expected="layers whose names are all different",
                received=f"two layers named {operation.name!r} "
                f"({type(other).__name__} and {type(operation).__name__})",
                fix="give one of them another name=",
            )


def function_inputs(outputs: Any) -> list[KerasTensor]:
    """Returns the input tensors from which `outputs` are computed."""
    return find_source_inputs(tree.flatten(outputs))
