"""Cloning: copies of models with new weights."""

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Operation
from keras_fn.errors import SpecError, unexpected_arguments
from keras_fn.layers.core.input_layer import Input, InputLayer
from keras_fn.layers.layer import Layer
from keras_fn.models.functional import Functional
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
        TypeError: There are unknown arguments.

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
    if not isinstance(model, (Sequential, Functional)):
        _check_unused(given, "a subclassed model")
        return _recreate(model)

    def clone_layer(layer: Any) -> Any:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(layer, None, clone_function, call_function, True)
        is_layer = isinstance(layer, Layer)
        return (clone_function or _recreate)(layer) if is_layer else _recreate(layer)

    if isinstance(model, Sequential):
        _check_unused({"call_function": call_function}, "a Sequential model")
        return _clone_sequential(model, input_tensors, clone_layer)
    return _clone_functional(model, input_tensors, clone_layer, call_function)


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


def _clone_sequential(
    model: Sequential, input_tensors: Any, clone_layer: Callable[[Any], Any]
) -> Sequential:
    layers = [clone_layer(layer) for layer in model._layers if not isinstance(layer, InputLayer)]
    if input_tensors is not None:
        (tensor,) = tree.flatten(input_tensors)
        layers.insert(0, tensor)
    elif model._layers and isinstance(model._layers[0], InputLayer):
        layers.insert(0, _recreate(model._layers[0]))
    clone = Sequential(layers, trainable=model.trainable, name=model.name)
    if model.built and not clone.built:
        clone.build(model.input_shape)
    return clone


def _clone_functional(
    model: Functional,
    input_tensors: Any,
    clone_layer: Callable[[Any], Any],
    call_function: Callable[..., Any] | None,
) -> Model:
    if input_tensors is None:
        inputs = [_new_input(t) for t in model.inputs]
    else:
        inputs = tree.flatten(input_tensors)
        if len(inputs) != len(model.inputs):
            raise SpecError(
                "clone_model",
                expected=f"{len(model.inputs)} input_tensors, as the model has inputs",
                received=f"{len(inputs)}",
                fix="pass one KerasTensor for each input of the model",
            )
    clones: dict[int, Operation] = {}

    def call(operation: Operation) -> Callable[..., Any]:
        clone = clones.get(id(operation)) or clone_layer(operation)
        clones[id(operation)] = clone
        if call_function is None:
            return clone
        return partial(call_function, clone)

    outputs = model.execution_plan.run(inputs, call=call)
    structure = tree.unflatten(model.input_structure, inputs)
    return Functional(
        structure,
        tree.unflatten(model.output_structure, outputs),
        name=model.name,
        trainable=model._trainable,
    )


def _new_input(tensor: KerasTensor) -> KerasTensor:
    layer = tensor._keras_history.operation
    return Input(
        batch_shape=tensor.shape,
        dtype=tensor.dtype,
        sparse=tensor.sparse,
        ragged=tensor.ragged,
        optional=getattr(layer, "optional", False),
        name=layer.name,
    )
