"""Endpoints of models and functions: which inputs an exported artifact takes."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.core.endpoint import Endpoint, unique_names
from keras_fn.core.graph_model import GraphModel, get_graph
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested, Shape

DEFAULT_ENDPOINT = "serve"

_SHAPES_SUFFIX = "_shape"


def layer_endpoint(
    name: str, layer: Layer, input_signature: Nested = None, keeps_batch: bool = False
) -> Endpoint:
    """Returns the endpoint that calls a layer or model in inference mode.

    Args:
        name: The name of the endpoint.
        layer: The layer or model.
        input_signature: The arguments of the call as a list: `InputSpec`s, KerasTensors, tensors or
            `tf.TensorSpec`s, nested as the call takes them. None for the inputs of the model.
        keeps_batch: Whether KerasTensors have the batch size that the endpoint is to have.

    Raises:
        SpecError: The inputs of the model are not known, or the signature is malformed.
        TypeError: The signature has a value that is not a spec.
    """
    graph = get_graph(layer)
    if not layer.built:
        raise SpecError(
            layer._label,
            expected="a built model",
            received="a model without weights",
            fix="call it on data once, or build it: model.build(input_shape)",
        )
    if input_signature is None:
        signature = _known_signature(layer, graph)
    else:
        signature = _given_signature(layer, graph, input_signature, keeps_batch)
    _refuse_host_layers(layer, signature)
    takes_training = layer._signature.has_training

    def infer(*args: Any) -> Any:
        with _unchanged_losses(layer):
            return layer(*args, training=False) if takes_training else layer(*args)

    return Endpoint(
        name,
        layer._label,
        infer,
        signature,
        _input_names(signature, None if graph is None else graph.input_binder.names),
        None if graph is None else _output_names(graph),
        layer.variables,
    )


@contextlib.contextmanager
def _unchanged_losses(layer: Layer) -> Iterator[None]:
    """Context manager that gives layers the losses of before back, of values not traces."""
    before = [(inner, list(inner._losses)) for inner in layer._flatten_layers()]
    try:
        yield
    finally:
        for inner, losses in before:
            inner._losses[:] = losses


def function_endpoint(
    name: str, function: Callable[..., Any], input_signature: Nested, layers: Sequence[Layer] = ()
) -> Endpoint:
    """Returns the endpoint that calls a function.

    Args:
        name: The name of the endpoint.
        function: Takes and returns nested tensors.
        input_signature: Its arguments, as in `layer_endpoint`.
        layers: The layers that it calls.
    """
    source = f"endpoint {name!r}"
    signature = tuple(_to_specs(arg, source) for arg in _as_list(input_signature))
    variables = {id(v): v for layer in layers for v in layer.variables}
    names = _input_names(signature, None)
    return Endpoint(name, source, function, signature, names, None, list(variables.values()))


def _known_signature(layer: Layer, graph: GraphModel | None) -> tuple[Nested, ...]:
    """Returns the inputs of a graph, or those for which a layer was built."""
    if graph is not None:
        keeps_batch = any(getattr(inner, "stateful", False) for inner in layer._flatten_layers())
        return (tree.map_structure(lambda x: _to_spec(x, "", keeps_batch), graph.input_structure),)
    shapes = layer._build_shapes
    if not shapes:
        raise SpecError(
            layer._label,
            expected="a model whose inputs are known: it was called on data, or is a graph",
            received="a model that was not called",
            fix="call it on data once, or pass input_signature=[keras.InputSpec(shape=(None, 8), "
            "dtype='float32')]",
        )
    return tuple(
        _specs_of_shapes(shape, layer.input_dtype, key.removesuffix(_SHAPES_SUFFIX))
        for key, shape in shapes.items()
    )


def _specs_of_shapes(shapes: Nested, dtype: str, name: str) -> Nested:
    """Returns specs for nested shapes, with a batch axis of any size."""
    if isinstance(shapes, dict):
        return {key: _specs_of_shapes(shape, dtype, str(key)) for key, shape in shapes.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return _spec((None, *shapes[1:]), dtype, name)
    return type(shapes)(
        [_specs_of_shapes(shape, dtype, f"{name}_{i}") for i, shape in enumerate(shapes)]
    )


def _given_signature(
    layer: Layer, graph: GraphModel | None, input_signature: Nested, keeps_batch: bool
) -> tuple[Nested, ...]:
    args = _as_list(input_signature)
    if graph is None:
        return tuple(_to_specs(arg, layer._label, keeps_batch) for arg in args)
    # A graph takes one argument; a flat list of its inputs is accepted, too.
    nested = args[0] if len(args) == 1 else args
    specs = _to_specs(nested, layer._label, keeps_batch)
    count, names = len(tree.flatten(specs)), graph.input_binder.names
    if count != len(names):
        raise SpecError(
            f"{layer._label}, input_signature",
            expected=f"a spec for each of {len(names)} inputs: {', '.join(names)}",
            received=f"{count} specs",
            fix="pass input_signature=[specs], with specs nested as the model's inputs",
        )
    return (specs,)


def _as_list(input_signature: Nested) -> list[Nested]:
    """Returns a signature as the list of arguments: it may be the only argument itself."""
    is_list = isinstance(input_signature, (list, tuple)) and not hasattr(input_signature, "_fields")
    return list(input_signature) if is_list else [input_signature]


def _to_specs(structure: Nested, source: str, keeps_batch: bool = False) -> Nested:
    return tree.map_structure(lambda x: _to_spec(x, source, keeps_batch), structure)


def _to_spec(x: Any, source: str, keeps_batch: bool = False) -> KerasTensor:
    """Returns a spec, a KerasTensor or a tensor as a KerasTensor without history.

    Args:
        x: The spec.
        source: What is exported, for the error.
        keeps_batch: Whether a KerasTensor's batch size stays as it is. A tensor is an example, so
            that its batch size says nothing.
    """
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if shape is None or dtype is None:
        raise DTypeError(
            f"{source}, input_signature",
            expected="specs with a shape and a dtype: keras.InputSpec(shape=(None, 8), "
            "dtype='float32'), KerasTensors, tensors or tf.TensorSpecs",
            received=f"{type(x).__name__} {x!r}"[:200],
            fix="pass a list with a spec for each argument",
        )
    sizes = tuple(None if size is None else int(size) for size in shape)
    is_fixed = isinstance(x, InputSpec) or type(x).__name__ == "TensorSpec" or keeps_batch
    spec = _spec(sizes if is_fixed or not sizes else (None, *sizes[1:]), _dtype_name(dtype))
    spec.name = getattr(x, "name", None)
    spec.dim_names = getattr(x, "dim_names", None)
    spec.sparse, spec.ragged = getattr(x, "sparse", False), getattr(x, "ragged", False)
    return spec


def _dtype_name(dtype: Any) -> Any:
    name = getattr(dtype, "name", None)  # of NumPy's and TensorFlow's dtypes
    return name if isinstance(name, str) else dtype


def _spec(shape: Shape, dtype: Any, name: str | None = None) -> KerasTensor:
    return KerasTensor(shape, dtype, record_history=False, name=name)


def _input_names(signature: tuple[Nested, ...], names: Sequence[str] | None) -> list[str]:
    """Returns a name for each input: the spec's, else the model's, else its number."""
    specs = tree.flatten(signature)
    if names is None or len(names) != len(specs):
        names = [spec.name or f"input_{i}" for i, spec in enumerate(specs)]
    return unique_names(names)


def _output_names(graph: GraphModel) -> list[str]:
    return unique_names(graph.output_names)  # type: ignore[attr-defined]


def _refuse_host_layers(layer: Layer, signature: tuple[Nested, ...]) -> None:
    """Raises an error that names the layers of text and hashes, which compute in Python."""
    host = [inner for inner in layer._flatten_layers() if getattr(inner, "_runs_on_host", False)]
    text = [s.name for s in tree.flatten(signature) if s.dtype == "string"]
    if not host and not text:
        return
    received = [f"{type(inner).__name__} {inner.name!r}" for inner in host]
    received += [f"the input {name!r} of strings" for name in text]
    raise SpecError(
        f"{layer._label} cannot be exported",
        expected="layers that compute with tensors of numbers",
        received=", ".join(received),
        fix="export the part of the model after them, keras.Model(inner_tensors, model.outputs), "
        "and run them on the data before it",
    )
