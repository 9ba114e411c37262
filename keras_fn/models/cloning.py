"""Cloning: copies of models with new weights."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from keras_fn.core import tree
from keras_fn.core.graph import in_call_order
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Node
from keras_fn.errors import DTypeError, SpecError, unexpected_arguments
from keras_fn.layers.core.input_layer import Input, InputLayer
from keras_fn.layers.layer import Layer
from keras_fn.metrics import Metric
from keras_fn.models.functional import Functional, has_graph_constructor
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential
from keras_fn.ops._op import OpNode
from keras_fn.types import Nested, NoArguments


def clone_model(
    model: Model,
    input_tensors: Nested = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Unpack[NoArguments],
) -> Model:
    """Clones a model: creates a model of the same architecture, with new layers and new weights.

    A compiled model is cloned with its compile arguments: a new optimizer, losses and metrics.

    Args:
        model: A Functional or Sequential model; or a subclassed one, which is cloned by its config.
        input_tensors: KerasTensors, nested like the model's inputs, to call the clone on. By
            default new `Input`s.
        clone_function: A function that returns the clone of a layer. By default it is created from
            the layer's config.
        call_function: A function `f(layer, *args, **kwargs)` that replaces the calls of the cloned
            layers of a Functional model.
        recursive: Whether to apply `clone_function` to the layers of nested models. Default False.
        **kwargs: None are accepted.

    Returns:
        The clone.

    Raises:
        ValueError: An argument does not apply to this kind of model.
        TypeError: It is not a model, or there are unknown arguments.

    Example:
        >>> x = keras.Input((3,))
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> copy = keras.models.clone_model(model)
        >>> copy.count_params(), copy.layers[1] is model.layers[1]
        (8, False)
    """
    if kwargs:
        raise unexpected_arguments("clone_model", kwargs)
    given = {
        "input_tensors": input_tensors,
        "clone_function": clone_function,
        "call_function": call_function,
    }
    if not isinstance(model, Model):
        raise DTypeError(
            "clone_model",
            expected="a model",
            received=f"{model!r}"[:300],
            fix="clone a layer by type(layer).from_config(layer.get_config())",
        )
    if not isinstance(model, (Sequential, Functional)):
        _check_unused(given, "a subclassed model")
        clone = _recreate(model)
        if model.built and not clone.built:
            clone.build_from_config(model.get_build_config() or {})
    elif isinstance(model, Sequential):
        _check_unused({"call_function": call_function}, "a Sequential model")
        clone = _Cloning(clone_function, None, recursive).clone_sequential(model, input_tensors)
    else:
        cloning = _Cloning(clone_function, call_function, recursive)
        clone = cloning.clone_functional(model, input_tensors)
    _copy_compile(model, clone)
    return clone


def _check_unused(arguments: dict[str, Any], kind: str) -> None:
    """Raises an error if one of the arguments is set, which do not apply to that kind of model."""
    received = [f"{name}=" for name, value in arguments.items() if value is not None]
    if received:
        raise SpecError(
            "clone_model",
            expected=f"{kind} without {', '.join(f'{name}=' for name in arguments)}",
            received=", ".join(received),
            fix=f"remove {', '.join(received)}, or clone a Functional model",
        )


def _recreate(operation: Any) -> Any:
    """Creates an operation from its config; an op from its function."""
    if isinstance(operation, OpNode):
        return type(operation)(operation.op, operation.name)
    return type(operation).from_config(operation.get_config())


class _Cloning:
    """The clones of the layers of a model; a layer that several models share has one.

    Args:
        clone_function: Returns the clone of a layer; None for its config.
        call_function: Replaces the calls of layers; None to call them.
        recursive: Whether to clone the layers of nested models one by one.
    """

    def __init__(
        self,
        clone_function: Callable[[Any], Any] | None,
        call_function: Callable[..., Any] | None,
        recursive: bool,
    ):
        self.clone_function = clone_function or _recreate
        self.call_function, self.recursive = call_function, recursive
        # Copied by their configs, nested models would no longer share layers with the outer one.
        self.is_plain = clone_function is None and call_function is None
        self.clones: dict[int, Any] = {}

    def clone(self, operation: Any) -> Any:
        """Returns the clone of a layer or op."""
        if id(operation) not in self.clones:
            self.clones[id(operation)] = self._new_clone(operation)
        return self.clones[id(operation)]

    def _new_clone(self, operation: Any) -> Any:
        follows = self.recursive or (self.is_plain and type(operation) in (Sequential, Functional))
        if follows and isinstance(operation, Sequential):
            return self.clone_sequential(operation, None)
        if follows and isinstance(operation, Functional):
            return self.clone_functional(operation, None)
        return (self.clone_function if isinstance(operation, Layer) else _recreate)(operation)

    def clone_sequential(self, model: Sequential, input_tensors: Any) -> Sequential:
        """Returns the clone of a Sequential model."""
        layers = [self.clone(x) for x in model._layers if not isinstance(x, InputLayer)]
        if input_tensors is not None:
            tensors = [x for x in tree.flatten(input_tensors) if isinstance(x, KerasTensor)]
            if len(tensors) != 1 or len(tree.flatten(input_tensors)) != 1:
                raise _structure_error("one KerasTensor", input_tensors)
            layers.insert(0, tensors[0])
        elif model._layers and isinstance(model._layers[0], InputLayer):
            layers.insert(0, _recreate(model._layers[0]))
        clone = Sequential(layers, trainable=model.trainable, name=model.name)
        if model.built and not clone.built:
            clone._build_like(model)
        return clone

    def clone_functional(self, model: Functional, input_tensors: Any) -> Model:
        """Returns the clone of a Functional model."""
        if input_tensors is None:
            inputs: Any = [_new_input(t) for t in model.inputs]
        else:
            flat = tree.flatten(input_tensors)
            if not tree.is_same_structure(input_tensors, model.input) or not all(
                isinstance(x, KerasTensor) for x in flat
            ):
                names = tree.map_structure(lambda t: f"<{t.name}>", model.input)
                raise _structure_error(f"KerasTensors nested as its inputs {names}", input_tensors)
            inputs = tree.flatten_like(model.input_structure, input_tensors)

        tensors = dict(zip(map(id, model.inputs), inputs, strict=True))
        for node in in_call_order(model.execution_plan.nodes):
            self._repeat(node, tensors)
        outputs = [tensors[id(tensor)] for tensor in model.outputs]
        cls = type(model) if has_graph_constructor(type(model)) else Functional
        return cls(
            tree.unflatten(model.input_structure, inputs),
            tree.unflatten(model.output_structure, outputs),
            name=model.name,
            trainable=model._trainable,
        )

    def _repeat(self, node: Node, tensors: dict[int, Any]) -> None:
        """Calls the clone of an operation on the tensors that stand for those of its call."""

        def stand_in(x: Any) -> Any:
            return tensors[id(x)] if isinstance(x, KerasTensor) else x

        clone = self.clone(node.operation)
        call = clone if self.call_function is None else partial(self.call_function, clone)
        args, kwargs = tree.map_structure(stand_in, (node.args, node.kwargs))
        results = tree.flatten(call(*args, **kwargs))
        tensors.update(zip(map(id, node.output_tensors), results, strict=True))


def _structure_error(expected: str, received: Any) -> SpecError:
    return SpecError(
        "clone_model",
        expected=f"input_tensors: {expected}"[:600],
        received=f"{received!r}"[:600],
        fix="pass one KerasTensor for each input, nested as model.input",
    )


def _copy_compile(model: Model, clone: Model) -> None:
    """Compiles a clone as the model is compiled, with objects of its own."""
    if not model.compiled or clone.compiled:
        return
    if type(model).get_compile_config is not Model.get_compile_config:
        clone.compile_from_config(model.get_compile_config() or {})  # the class knows its own
        return
    arguments = {**(model._compile_arguments or {})}
    optimizer = arguments.pop("optimizer")
    if optimizer is not None and optimizer.built:
        optimizer = _recreate(optimizer)
    copies = copy.deepcopy({"optimizer": optimizer, **arguments})
    for metric in tree.flatten([copies["metrics"], copies["weighted_metrics"]]):
        if isinstance(metric, Metric):
            metric.reset_state()
    clone._compile_with(copies)


def _new_input(tensor: KerasTensor) -> KerasTensor:
    layer = tensor._keras_history.operation
    return Input(
        batch_shape=tensor.named_shape,
        dtype=tensor.dtype,
        sparse=tensor.sparse,
        ragged=tensor.ragged,
        optional=getattr(layer, "optional", False),
        name=layer.name,
    )
