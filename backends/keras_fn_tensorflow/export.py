"""Writes SavedModels, and LiteRT models made of them."""

import copy
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.lite.python.convert import ConverterError

from keras_fn.core import tree
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.temporary_folder import temporary_folder
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError, unexpected_arguments
from keras_fn_tensorflow.control_flow import unrolled_scans
from keras_fn_tensorflow.tensors import native_dtype
from keras_fn_tensorflow.transforms import draw_values

_AutoTrackable = tf.__internal__.tracking.AutoTrackable
_Trackable = tf.__internal__.tracking.Trackable
_Function = tf.types.experimental.PolymorphicFunction

_SERVING_DEFAULT = "serving_default"
"""The signature that TF Serving and the command `saved_model_cli` call by default."""


def export_tf_saved_model(
    endpoints: Sequence[Endpoint],
    path: str,
    *,
    collections: Mapping[str, Sequence[Any]] | None = None,
    resources: Sequence[Any] = (),
    save_options: Any = None,
) -> None:
    """Writes a SavedModel, whose attributes and signatures have the names of the endpoints.

    The first endpoint is also the signature `serving_default`, unless one has that name.

    Args:
        endpoints: The endpoints.
        path: An empty folder.
        collections: Variables to save as attributes, by the attribute's name.
        resources: Trackable objects of TensorFlow that endpoints use, such as lookup tables.
        save_options: The `tf.saved_model.SaveOptions`.
    """
    root, signatures = _build_root(endpoints)
    for name, variables in (collections or {}).items():
        setattr(root, name, [_handle(v) for v in variables])
    root._resources = list(resources)
    tf.saved_model.save(root, path, signatures, save_options)


def export_litert(endpoint: Endpoint, path: str, **options: Any) -> None:
    """Writes a LiteRT model, whose signature is `serving_default`.

    Random seeds stay as they are. Recurrent layers over a known number of time steps are unrolled:
    LiteRT's lists of tensors need a fixed batch size.

    Args:
        endpoint: The endpoint.
        path: The path of the file.
        **options: Attributes of `tf.lite.TFLiteConverter`, for example `optimizations`. A dict for
            `target_spec` holds attributes of that.
    """

    def without_assignments(*args: Any) -> Any:
        with StatelessScope(), unrolled_scans():
            return endpoint.function(*args)

    pure = copy.copy(endpoint)
    pure.function = without_assignments
    with temporary_folder() as folder:
        export_tf_saved_model([pure], folder)
        try:
            model = _convert_to_litert(folder, options)
        except ConverterError as error:
            if "target_spec" in options:
                raise
            missing = ", ".join(sorted(set(_MISSING_OP.findall(str(error))))) or "some of it"
            ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
            model = _convert_to_litert(folder, {**options, "target_spec": {"supported_ops": ops}})
            warnings.warn(
                f"{endpoint.source}: LiteRT has no op for {missing}. The interpreter must have "
                "TensorFlow's (the Flex delegate).",
                stacklevel=2,
            )
        else:
            _check_litert(model)
    with open(path, "wb") as file:
        file.write(model)


_MISSING_OP = re.compile(r"'tf\.(\w+)' op is neither")


def _check_litert(model: bytes) -> None:
    """Raises what the interpreter raises for a model whose ops it cannot prepare."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it moves to the package ai_edge_litert
        tf.lite.Interpreter(model_content=model).allocate_tensors()


def _convert_to_litert(folder: str, options: Mapping[str, Any]) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[_SERVING_DEFAULT])
    _set_attributes(converter, options)
    return converter.convert()


def _set_attributes(target: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name.startswith("_") or not hasattr(target, name) or callable(getattr(target, name)):
            known = [n for n, old in vars(target).items() if not (n[0] == "_" or callable(old))]
            raise unexpected_arguments(f"a {type(target).__name__}", [name], sorted(known))
        if isinstance(value, Mapping):
            _set_attributes(getattr(target, name), value)
        elif name == "optimizations":  # by name, from another process
            setattr(target, name, [getattr(tf.lite.Optimize, str(x), x) for x in value])
        else:
            setattr(target, name, value)


def endpoint_function(endpoint: Endpoint) -> _Function:
    """Returns the function of an endpoint as a `tf.function` with its signature.

    Args:
        endpoint: The endpoint. If its function is a `tf.function` already, it is returned.
    """
    if isinstance(endpoint.function, _Function):
        return endpoint.function
    names = iter(endpoint.input_names)
    specs = tree.map_structure(lambda x: _type_spec(x, next(names)), list(endpoint.signature))
    return tf.function(endpoint.function, input_signature=specs, autograph=False)


def traced_signature(function: Callable[..., Any]) -> list[Any]:
    """Returns the arguments of the first trace of a `tf.function`, as nested `tf.TypeSpec`s.

    Args:
        function: The function.

    Raises:
        SpecError: It is none, or was not called.
    """
    traces = _traces(function) if isinstance(function, _Function) else []
    if traces:
        arguments = traces[0].structured_input_signature[0]
        return [x for x in arguments if all(isinstance(t, tf.TypeSpec) for t in tree.flatten(x))]
    raise SpecError(
        "an endpoint without a signature",
        expected="a tf.function that was called at least once",
        received=f"{type(function).__name__} {function!r}"[:200],
        fix="pass input_signature=[keras.InputSpec(shape=(None, 8), dtype='float32')]",
    )


def _traces(function: Any) -> list[Any]:
    # TensorFlow has no public list of the traces.
    return function._list_all_concrete_functions()


def _build_root(endpoints: Sequence[Endpoint]) -> tuple[Any, dict[str, Any]]:
    """Returns the object to save, with its functions and variables, and the signatures."""
    root, signatures = _AutoTrackable(), {}
    variables: dict[int, tf.Variable] = {}
    for endpoint in endpoints:
        draw_values(endpoint.variables)  # a variable must not be created in the graph
        function = endpoint_function(endpoint)
        setattr(root, endpoint.name, function)
        trace = (_traces(function) or [function.get_concrete_function()])[0]
        signatures[endpoint.name] = trace if _is_flat(trace) else _flat_function(endpoint)
        variables.update({id(v): v for v in [*map(_handle, endpoint.variables), *trace.variables]})
    root.variables = list(variables.values())
    root.trainable_variables = [v for v in root.variables if v.trainable]
    root.non_trainable_variables = [v for v in root.variables if not v.trainable]
    signatures.setdefault(_SERVING_DEFAULT, signatures[endpoints[0].name])
    return root, signatures


def _is_flat(trace: Any) -> bool:
    """Returns whether a function can be a signature: its result is a list or a dict of tensors."""
    results = trace.structured_outputs
    if isinstance(results, Mapping):
        return all(isinstance(k, str) and not tree.is_nested(v) for k, v in results.items())
    return not any(map(tree.is_nested, results if tree.is_nested(results) else [results]))


def _flat_function(endpoint: Endpoint) -> Any:
    """Returns the function of an endpoint as one of flat tensors that returns a dict."""

    def call(*tensors: Any) -> dict[str, Any]:
        results = endpoint.function(*tree.unflatten(endpoint.signature, tensors))
        return dict(zip(endpoint.name_outputs(results), tree.flatten(results), strict=True))

    specs = map(_type_spec, endpoint.inputs, endpoint.input_names)
    return tf.function(call, input_signature=list(specs), autograph=False)


def _handle(variable: Any) -> Any:
    """Returns the `tf.Variable`."""
    return variable.value if isinstance(variable, Variable) else variable


def _type_spec(x: KerasTensor, name: str) -> tf.TypeSpec:
    """Returns the spec of an argument."""
    dtype = native_dtype(x.dtype)
    if x.sparse:
        return tf.SparseTensorSpec(x.shape, dtype)
    if x.ragged:
        return tf.RaggedTensorSpec(x.shape, dtype, x.ragged_rank)
    return tf.TensorSpec(x.shape, dtype, name)
