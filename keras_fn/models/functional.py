"""The Functional model: a graph of layers from input tensors to output tensors."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from keras_fn.backend.contract import SupportsCompileCall
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.graph import ExecutionPlan, operations_by_depth
from keras_fn.core.graph_model import (
    GraphModel,
    GraphTensorsMixin,
    PlanLike,
    PreprocessedInputs,
)
from keras_fn.core.input_binding import InputBinder
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node, Operation, infer_spec
from keras_fn.core.registry import is_builtin
from keras_fn.core.scopes import TrainingScope, context
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers.core.input_layer import Input, InputLayer
from keras_fn.layers.layer import Layer
from keras_fn.models import functional_config
from keras_fn.models.host_preprocessing import HostPreprocessing, has_host_layers
from keras_fn.models.model import Model
from keras_fn.types import Nested


class Functional(GraphTensorsMixin, Model):
    """Functional model: a graph of layers and ops. `Model(inputs, outputs)` creates one.

    Args:
        inputs: The input KerasTensors: one, or nested in lists, tuples and dicts. A tensor from
            within a graph is replaced by a new `Input`.
        outputs: The output KerasTensors: one, or nested in lists, tuples and dicts.
        name: Name of the model; automatic by default.
        **kwargs: `trainable`, whether optimizers update the weights (default True), and other
            arguments of `Layer`.

    Raises:
        ValueError: The outputs cannot be computed from the inputs, an input is repeated, or two
            layers have the same name.
        TypeError: An input or output is not a KerasTensor.

    Example:
        >>> x = keras.Input((3,))
        >>> keras.Model(x, keras.layers.Dense(2)(x)).output_shape
        (None, 2)
    """

    host_preprocessing: HostPreprocessing | None = None

    def __init__(self, inputs: Nested, outputs: Nested, name: str | None = None, **kwargs: Any):
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
        inputs, outputs = _with_input_layers(inputs, outputs, source)
        self.input_structure, self.output_structure = inputs, outputs
        self._inputs = tree.flatten(inputs)
        self._outputs = tree.flatten(outputs)
        self.execution_plan = ExecutionPlan(self._inputs, self._outputs, source)
        self.is_long = self.execution_plan.is_long
        self._operations = operations_by_depth(_in_file_order(inputs), _in_file_order(outputs))
        # Whether an operation may depend on the mode: one of the program by layers inside.
        self._depends_on_mode = self.execution_plan.takes_training or not all(
            [is_builtin(type(operation)) for operation in self._operations]
        )
        self._layers = [op for op in self._operations if isinstance(op, Layer)]
        _check_names(self._operations, source)
        self.input_binder = InputBinder(source, inputs, self.input_names, self._inputs)
        self._has_own_call = not is_builtin(type(self).call)
        if has_host_layers(self._operations, self._inputs):
            self.host_preprocessing = HostPreprocessing(self)
            self.input_binder.keeps_integers = True
        self._compiles_calls = supports("compile_call")
        self._compiled: Any = None
        self._compiled_shapes: dict[Any, bool] = {}
        self._is_pure: bool | None = None  # None: not determined yet
        # Specs of inputs that go to the compiled function without check or conversion.
        self._compiled_call_keys: set[Any] = set()
        # Whether inputs of a spec need neither, where calls are not compiled.
        self._bound_call_keys: dict[Any, bool] = {}
        self.supports_masking = True
        self.built = True
        self._set_path()
        self._build_shapes = None

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_compiled": None,
            "_compiled_shapes": {},
            "_compiled_call_keys": set(),
            "_bound_call_keys": {},
            "_is_pure": None,
        }

    # ---------------------------------------------------------------- the graph

    @property
    def layers(self) -> list[Layer]:
        """The layers, those farthest from the outputs first."""
        return list(self._layers)

    @property
    def input(self) -> Nested:
        """The input tensors, nested as the constructor received them."""
        return self.input_structure

    @property
    def output(self) -> Nested:
        """The output tensors, nested as the constructor received them."""
        return self.output_structure

    @property
    def input_shape(self) -> Nested:
        """The shape of the input; of several inputs, a list of their shapes."""
        return _shapes(self._inputs)

    @property
    def output_shape(self) -> Nested:
        """The shape of the output; of several outputs, a list of their shapes."""
        return _shapes(self._outputs)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: the keys if they are a dict, else the names of their layers."""
        return _names(self.input_structure, self._inputs)

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the keys if they are a dict, else the names of their layers."""
        return _names(self.output_structure, self._outputs)

    # ---------------------------------------------------------------- calling

    @property
    def execution_graph(self) -> GraphModel:
        """The model itself: a call runs its graph."""
        return self

    def _float_input_dtype(self, dtype: str) -> str:
        """Keeps all: the input binder casts each input to the dtype of its `Input`."""
        return dtype

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.host_preprocessing is not None:  # text and wide integers stay on the host
            return arguments
        return super()._convert_inputs(arguments)

    def _propagate_masks(self, outputs: Any, first: Any, masks: dict[str, Any]) -> None:
        """Does nothing: the layers of the graph set the masks of their outputs."""

    @property
    def is_pure(self) -> bool:
        """Whether inference has no side effects, so that it can run as one compiled function."""
        if self._is_pure is None:
            self._depend_on(self._flatten_layers(include_self=False))
            self._is_pure = all(_has_no_side_effects(op) for op in self._operations)
        return self._is_pure and type(self.execution_plan) is ExecutionPlan

    def _invalidate_structure(self, new_weights: bool = False) -> None:
        super()._invalidate_structure(new_weights)
        self._is_pure = None
        if new_weights:
            self._compiled = None
            self._compiled_shapes, self._compiled_call_keys = {}, set()

    @contextmanager
    def substitute_plan(self, plan: PlanLike) -> Iterator[None]:
        """Inside the context, calls run `plan` step by step instead of the model's own plan.

        Args:
            plan: An object with the `run` method of an `ExecutionPlan`.
        """
        own_plan, own_keys = self.execution_plan, self._compiled_call_keys
        self.execution_plan, self._compiled_call_keys = cast(ExecutionPlan, plan), set()
        try:
            yield
        finally:
            self.execution_plan, self._compiled_call_keys = own_plan, own_keys

    def call(self, inputs: Nested, training: bool | None = None, mask: Nested = None) -> Nested:
        """Runs the graph.

        Args:
            inputs: Tensors nested like the model's inputs, or a dict of them by name.
            training: Whether layers run in training mode.
            mask: The masks of the inputs, nested like them, or None.

        Returns:
            Tensors nested like the model's outputs.
        """
        if training is None:  # an override of `call` need not pass it
            training = context.current.training
        if type(inputs) is PreprocessedInputs and self.host_preprocessing is not None:
            rest = self.host_preprocessing.device_graph
            values = inputs.values if len(inputs.values) > 1 else inputs.values[0]
            return rest(values, training=training)
        values = self.input_binder.bind(inputs)
        masks = None if mask is None else tree.flatten(mask)
        if masks is not None:
            masks = [*masks, *[None] * (len(values) - len(masks))]
        if not training and masks is None:
            run = self._compiled_for(values)
            if run is not None:
                return self.pack_outputs(run(*values))
        if self.is_long and masks is None:
            return self.pack_outputs(self.run_in_parts(values, training))
        return self.pack_outputs(self.execution_plan.run(values, training, masks))

    def run_inference(self, values: Sequence[Any]) -> Any:
        """Returns the outputs of inference, for a model whose inference is pure.

        Args:
            values: For each input, a tensor of its shape and dtype.
        """
        run = self.run_in_parts if self.is_long else self.execution_plan.run
        return self.pack_outputs(run(values, False))

    def run_in_parts(self, values: Sequence[Any], training: bool | None) -> list[Any]:
        """Runs the plan of a long graph: compiled in parts, if these pass nothing but tensors.

        Args:
            values: For each input, a tensor of its shape and dtype.
            training: Whether layers run in training mode.
        """
        plan = self.execution_plan
        passes_more = (training or not self.is_pure) and self._may_add_losses()
        if type(plan) is not ExecutionPlan or plan.masked or passes_more:
            return plan.run(values, training)
        return plan.run_in_parts(values, training)

    def _fast_call(self, x: Any, training: bool | None, key: Any) -> Any:
        if self._has_own_call:
            return super()._fast_call(x, training, key)
        if not training and key in self._compiled_call_keys and self.is_pure:
            return self.pack_outputs(self._compiled(x))
        is_bound = self._bound_call_keys.get(key)
        # A sparse tensor of PyTorch has the class of a dense one.
        run = self._run_plan if is_bound and not self.input_binder.is_sparse(x) else self.call
        if training is None and self._depends_on_mode:
            with TrainingScope(False):  # once, rather than in each layer
                outputs = run(x, training=False)
        else:
            outputs = run(x, training=bool(training))
        if not self._compiles_calls:
            if is_bound is None:
                self._note_bound_call(x, key)
            return outputs
        compiled = self._compiled is not None and not training
        compiled = compiled and self.input_binder.is_exact_match(x)
        if compiled and self._compiled_shapes.get(((x.shape, x.dtype),)):
            self._compiled_call_keys.add(key)
        return outputs

    def _run_plan(self, x: Any, training: bool) -> Any:
        return self.pack_outputs(self.execution_plan.run((x,), training))

    def _note_bound_call(self, x: Any, key: Any) -> None:
        """Lets inputs like this one reach the plan as they are, if they need no conversion."""
        if self.is_long or self.host_preprocessing is not None:
            self._bound_call_keys[key] = False
        elif not self.input_binder.is_sparse(x):
            self._bound_call_keys[key] = self.input_binder.bind(x)[0] is x

    def _compiled_for(self, values: Sequence[Any]) -> Any:
        """Returns the whole graph as one compiled function, or None if it should not be used.

        A shape is compiled when it is seen for the second time, so that a stream of new shapes
        compiles nothing.
        """
        if (
            not self._compiles_calls
            or self.host_preprocessing is not None
            or context.current.symbolic
            or not self.is_pure  # nor is it with another plan
            or self.execution_plan.masked
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
            is_traced = any(map(current().is_traced, values))  # it is compiled, or exported
            if len(self._compiled_shapes) < _MAX_COMPILED_SHAPES and not is_traced:
                self._compiled_shapes[key] = False
            return None
        if self._compiled is None:
            run = self.run_in_parts if self.is_long else self.execution_plan.run
            self._compiled = cast(SupportsCompileCall, current()).compile_call(
                lambda *inputs: run(inputs, False), self.variables
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
        if type(structure) is dict and len(structure) == len(outputs):
            return dict(zip(structure, outputs, strict=True))
        if isinstance(structure, (list, tuple)) and len(structure) == 1:
            return tree.unflatten(structure[0], outputs)  # as Keras: a list of one is unpacked
        return tree.unflatten(structure, outputs)

    def compute_output_spec(
        self, inputs: Nested, training: bool | None = None, mask: Nested = None
    ) -> Nested:
        """Infers the shapes and dtypes of the outputs.

        Args:
            inputs: Tensors or KerasTensors, nested like the model's inputs.
            training: Whether layers run in training mode.
            mask: The masks of the inputs, nested like them, or None.

        Returns:
            KerasTensors, nested like the model's outputs.
        """
        return infer_spec(self, (inputs,), {"training": training, "mask": mask})

    def build(self, input_shape: Nested = None) -> None:
        """Does nothing: a graph is built by its constructor."""
        self.built = True

    # ---------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Returns the config of the graph: its layers, their calls, its inputs and outputs."""
        if not has_graph_constructor(type(self)):
            return super().get_config()
        return functional_config.layer_config(self)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Returns a model created from a config, with new weights.

        Args:
            config: The result of `get_config`.
            custom_objects: Custom classes and functions, by name.
        """
        if "input_layers" not in config:  # the arguments of a custom constructor
            return super().from_config(config, custom_objects)
        return functional_config.model_from_config(cls, config, custom_objects)


Model._functional_base = Functional
_MAX_COMPILED_SHAPES = 64


def _has_no_side_effects(operation: Operation) -> bool:
    """Returns whether the operation is known to be pure in inference."""
    if not isinstance(operation, Layer):
        return is_builtin(operation)
    if isinstance(operation, Functional) and not operation.is_pure:
        return False
    layers = operation._flatten_layers()
    parts = [part for layer in layers for part in (layer, *vars(layer).values())]
    # A custom function, in a Lambda or as an activation, can have side effects.
    return (
        all(is_builtin(part) for part in parts if callable(part))
        and operation.activity_regularizer is None
        and not operation._updates_state_at_inference
    )


def has_graph_constructor(cls: type) -> bool:
    """Returns whether the constructor of a model takes inputs and outputs.

    Args:
        cls: A class of Functional models.
    """
    parameters = list(inspect.signature(cls.__init__).parameters)[1:]
    return parameters[:2] == ["inputs", "outputs"] or parameters[:2] == ["args", "kwargs"]


def _in_file_order(structure: Any) -> list[KerasTensor]:
    """Returns the tensors in the order in which a model that was read from a file has them."""
    if isinstance(structure, dict):
        keys = sorted(structure, key=lambda key: (type(key).__name__, key))
        return [t for key in keys for t in _in_file_order(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [t for part in structure for t in _in_file_order(part)]
    return [structure]


def _shapes(tensors: Sequence[KerasTensor]) -> Any:
    return tensors[0].shape if len(tensors) == 1 else [t.shape for t in tensors]


def _names(structure: Any, tensors: Sequence[KerasTensor]) -> list[str]:
    if isinstance(structure, dict) and len(structure) == len(tensors):
        return [str(key) for key in structure]
    return [t._keras_history.operation.name for t in tensors]


def _check_tensors(structure: Any, what: str, source: str) -> None:
    leaves = tree.flatten(structure)
    invalid = [x for x in leaves if not isinstance(x, KerasTensor)]
    if not leaves or invalid:
        received = f"{type(invalid[0]).__name__} {invalid[0]!r}"[:200] if invalid else "none"
        raise DTypeError(
            source,
            expected=f"{what} that are KerasTensors, from keras_fn.Input or a layer's call on one",
            received=received,
            fix=f"build {what} from Input(shape=...)",
        )


def _with_input_layers(inputs: Any, outputs: Any, source: str) -> tuple[Any, Any]:
    """Replaces inputs that are outputs of other layers by new `Input`s, and recomputes the outputs.

    Args:
        inputs: The input tensors, nested.
        outputs: The output tensors, nested.
        source: The model, for error messages.

    Returns:
        The inputs and the outputs.
    """
    flat = tree.flatten(inputs)
    if all(isinstance(t._keras_history.operation, InputLayer) for t in flat):
        return inputs, outputs
    plan = ExecutionPlan(flat, tree.flatten(outputs), source)
    input_tensors = [
        t
        if isinstance(t._keras_history.operation, InputLayer)
        else Input(batch_shape=t.named_shape, dtype=t.dtype, sparse=t.sparse, name=t.name)
        for t in flat
    ]
    results = plan.run(input_tensors)
    mark_as_repeats(ExecutionPlan(input_tensors, results, source).nodes)
    return tree.unflatten(inputs, input_tensors), tree.unflatten(outputs, results)


def mark_as_repeats(nodes: Sequence[Node]) -> None:
    """Marks the nodes of a graph as repeats, if their operations have other calls.

    Args:
        nodes: The nodes of a graph that repeats the calls of another one, or is replaced by one.
    """
    for node in nodes:
        others = [n for n in node.operation._inbound_nodes if n is not node and not n.is_repeat]
        node.is_repeat = bool(others)


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
