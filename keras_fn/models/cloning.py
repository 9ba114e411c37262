"""Copies of models with new weights."""

from collections.abc import Callable
from functools import partial
from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Operation
from keras_fn.layers.core.input_layer import Input, InputLayer
from keras_fn.layers.layer import Layer
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """Makes a model of the same layers, each made anew: no weight is shared.

    Args:
        model: A Functional, a Sequential, or a subclassed model (then copied by its config).
        input_tensors: KerasTensors to build the copy on, instead of new Inputs.
        clone_function: Makes the copy of a layer; by default from its config.
        call_function: Called as `call_function(layer, *args, **kwargs)` in place of each layer.
        recursive: Whether `clone_function` is applied to the layers inside nested models too.

    Returns:
        The copy.

    Raises:
        ValueError: Arguments that go with another kind of model.

    Example:
        >>> x = keras.Input((3,))
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> copy = keras.models.clone_model(model)
        >>> copy.count_params(), copy.layers[1] is model.layers[1]
        (8, False)
    """
    if kwargs:
        raise TypeError(f"clone_model does not take {', '.join(kwargs)}.")
    is_stack = isinstance(model, Sequential)
    if not is_stack and not isinstance(model, Functional):
        if any(x is not None for x in (input_tensors, clone_function, call_function)):
            raise ValueError(
                "clone_model: a subclassed model is copied by its config; input_tensors, "
                "clone_function and call_function are for Functional and Sequential models."
            )
        return _again(model)
    if is_stack and call_function is not None:
        raise ValueError("clone_model: call_function is for Functional models.")

    def copy(layer: Any) -> Any:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(layer, None, clone_function, call_function, True)
        return (clone_function or _again)(layer) if isinstance(layer, Layer) else _again(layer)

    if is_stack:
        return _clone_stack(model, input_tensors, copy)
    return _clone_graph(model, input_tensors, copy, call_function)


def _again(operation: Any) -> Any:
    """Makes an operation from its config."""
    if hasattr(operation, "op"):  # an op: what it computes stands in the graph
        return type(operation)(operation.op, operation.name)
    return type(operation).from_config(operation.get_config())


def _clone_stack(model: Sequential, input_tensors: Any, copy: Callable[[Any], Any]) -> Sequential:
    layers = [copy(layer) for layer in model._layers if not isinstance(layer, InputLayer)]
    if input_tensors is not None:
        (tensor,) = tree.flatten(input_tensors)
        layers.insert(0, tensor)
    elif model._layers and isinstance(model._layers[0], InputLayer):
        layers.insert(0, _again(model._layers[0]))
    clone = Sequential(layers, trainable=model.trainable, name=model.name)
    if model.built and not clone.built:
        clone.build(model.input_shape)
    return clone


def _clone_graph(
    model: Functional,
    input_tensors: Any,
    copy: Callable[[Any], Any],
    call_function: Callable[..., Any] | None,
) -> Model:
    if input_tensors is None:
        inputs = [_fresh(t) for t in model.inputs]
    else:
        inputs = tree.flatten(input_tensors)
        if len(inputs) != len(model.inputs):
            raise ValueError(
                f"clone_model: the model has {len(model.inputs)} inputs, {len(inputs)} came."
            )
    copies: dict[int, Operation] = {}

    def call(operation: Operation) -> Callable[..., Any]:
        clone = copies.get(id(operation)) or copy(operation)
        copies[id(operation)] = clone
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


def _fresh(tensor: KerasTensor) -> KerasTensor:
    source = tensor._keras_history.operation
    return Input(
        batch_shape=tensor.shape,
        dtype=tensor.dtype,
        sparse=tensor.sparse,
        ragged=tensor.ragged,
        optional=getattr(source, "optional", False),
        name=source.name,
    )
