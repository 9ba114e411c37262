"""SavedModels of TensorFlow, by `jax2tf`.

The only file of a backend that imports a second framework. It is imported by `export.py` when a
program exports to this format, and not before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from jax.experimental import jax2tf

from keras_fn.core import tree
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn_jax.shared_traces import PyTreeAdapter
from keras_fn_jax.tensors import convert_to_numpy
from keras_fn_jax.transforms import functionalize, retry_with_captured_state

_SERVING_DEFAULT = "serving_default"


def write_saved_model(
    endpoints: Sequence[Endpoint],
    path: str,
    collections: Mapping[str, Sequence[Any]],
    resources: Sequence[Any],
    save_options: Any,
) -> None:
    """Writes a SavedModel, laid out as the TensorFlow backend does.

    Args:
        endpoints: The endpoints. Their options are `is_static` and `jax2tf_kwargs`.
        path: An empty folder.
        collections: Variables to save as attributes, by the attribute's name.
        resources: Trackable objects of TensorFlow.
        save_options: The `tf.saved_model.SaveOptions`.
    """
    root, signatures = tf.__internal__.tracking.AutoTrackable(), {}
    handles = _Handles()
    for endpoint in endpoints:
        function, signature = _to_tf_functions(endpoint, handles)
        setattr(root, endpoint.name, function)
        signatures[endpoint.name] = signature
    saved = {name: [handles.of(v) for v in variables] for name, variables in collections.items()}
    root.variables = handles.all()
    root.trainable_variables = [v for v in root.variables if v.trainable]
    root.non_trainable_variables = [v for v in root.variables if not v.trainable]
    for name, variables in saved.items():
        setattr(root, name, variables)
    root._resources = list(resources)
    signatures.setdefault(_SERVING_DEFAULT, signatures[endpoints[0].name])
    tf.saved_model.save(root, path, signatures, save_options)


class _Handles:
    """A `tf.Variable` for each variable, however many endpoints read it."""

    def __init__(self) -> None:
        self._handles: dict[int, tuple[Any, tf.Variable]] = {}

    def of(self, variable: Any) -> tf.Variable:
        """Returns the `tf.Variable` of a variable; one of TensorFlow is returned as it is."""
        if isinstance(variable, tf.Variable):
            return variable
        if id(variable) not in self._handles:
            value: Any = convert_to_numpy(variable.value)
            with tf.init_scope():
                handle = tf.Variable(value, trainable=variable.trainable, name=variable.name)
            self._handles[id(variable)] = variable, handle  # the variable keeps its id
        return self._handles[id(variable)][1]

    def all(self) -> list[tf.Variable]:
        """Returns all of them."""
        return [handle for _, handle in self._handles.values()]


def _to_tf_functions(endpoint: Endpoint, handles: _Handles) -> tuple[Any, Any]:
    """Returns the traced function of an endpoint, and its signature, which returns a dict."""
    specs = [
        tf.TensorSpec(x.shape, tf.as_dtype(x.dtype), name)
        for x, name in zip(endpoint.inputs, endpoint.input_names, strict=True)
    ]
    call = _convert(endpoint, handles)

    def nested(*args: Any) -> Any:
        return call(*tree.flatten(args))

    def flat(*tensors: Any) -> dict[str, Any]:
        results = call(*tensors)
        return dict(zip(_signature_names(endpoint, results), tree.flatten(results), strict=True))

    arguments = list(tree.unflatten(endpoint.signature, specs))
    function = tf.function(nested, input_signature=arguments, autograph=False)
    function.get_concrete_function()
    return function, tf.function(flat, input_signature=specs, autograph=False)


def _signature_names(endpoint: Endpoint, results: Any) -> list[str]:
    """Returns the names of results in a signature: of lists, `output_0` and so on."""
    if isinstance(results, dict):
        return endpoint.name_outputs(results)
    return [f"output_{i}" for i in range(len(tree.flatten(results)))]


def _convert(endpoint: Endpoint, handles: _Handles) -> Callable[..., Any]:
    """Returns the function of an endpoint as one of flat tensors of TensorFlow."""
    state, adapter = list(endpoint.variables), PyTreeAdapter()
    pure = functionalize(
        lambda *tensors: endpoint.function(*tree.unflatten(endpoint.signature, tensors)),
        state,
        adapter,
    )
    options = dict(endpoint.options.get("jax2tf_kwargs") or {})
    shapes = tree.flatten(options.pop("polymorphic_shapes", None) or _polymorphic_shapes(endpoint))
    converted = jax2tf.convert(pure, polymorphic_shapes=[None, *shapes], **options)

    def run(tensors: Sequence[Any]) -> tuple[Any, Any]:
        return converted([handles.of(v).read_value() for v in state], *tensors)

    def call(*tensors: Any) -> Any:
        updates, results = retry_with_captured_state(lambda: run(tensors), state)
        for i, value in {} if endpoint.options.get("is_static") else updates.items():
            handles.of(state[i]).assign(value)
        return adapter.nested(results)

    return call


def _polymorphic_shapes(endpoint: Endpoint) -> list[str]:
    """Returns the shapes of the inputs as `jax2tf` reads them, unknown sizes with a name."""

    def describe(x: KerasTensor, axes: dict[int, str]) -> str:
        return str(tuple(axes.get(i, size) for i, size in enumerate(x.shape))).replace("'", "")

    return list(map(describe, endpoint.inputs, endpoint.dynamic_axes()))
