"""Tensors of other frameworks than the backend's, which data pipelines pass to layers.

Nothing here imports a framework: a tensor exists only where its framework is loaded already.
"""

import sys
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.types import Nested

_TENSOR_CLASSES = {
    "tensorflow": ("Tensor", "Variable", "RaggedTensor", "SparseTensor"),
    "torch": ("Tensor",),
    "jax": ("Array",),
}


def framework_of(x: object) -> str | None:
    """Returns the name of the framework whose tensor `x` is, or None.

    Args:
        x: Any object.

    Example:
        >>> framework_of(np.ones(3)) is None
        True
    """
    for name, classes in _TENSOR_CLASSES.items():
        module = sys.modules.get(name)
        if module is None:
            continue
        for cls in classes:
            tensor_class = getattr(module, cls, None)  # None while the framework is imported
            if tensor_class is not None and isinstance(x, tensor_class):
                return name
    return None


def is_in_graph(x: object) -> bool:
    """Returns whether `x` is a symbolic tensor of TensorFlow: it is in a graph, without a value.

    Args:
        x: Any object.
    """
    return framework_of(x) == "tensorflow" and bool(sys.modules["tensorflow"].is_symbolic_tensor(x))


def to_numpy(x: Any) -> np.ndarray:
    """Copies a tensor of any framework to the host; text becomes an array of bytes objects.

    Args:
        x: A tensor with values.
    """
    if not hasattr(x, "detach"):
        return np.asarray(x)
    x = x.detach().cpu().resolve_conj().resolve_neg()
    if x.dtype is sys.modules["torch"].bfloat16:  # NumPy has it through ml_dtypes
        return x.view(sys.modules["torch"].int16).numpy().view(ml_dtypes.bfloat16).copy()
    return x.numpy().copy()  # as it can change in place


def to_framework(array: np.ndarray, like: Any) -> Any:
    """Returns an array as a tensor of another framework, on the same device as a tensor of it.

    Args:
        array: The array. Text stays an array where the framework has no tensors of text.
        like: A tensor of the framework.
    """
    framework = framework_of(like)
    module: Any = sys.modules[framework or ""]
    if framework == "tensorflow":
        return module.convert_to_tensor(array)
    if array.dtype.kind in "USOT":
        return array
    if framework == "jax":
        return module.numpy.asarray(array)
    if array.dtype == ml_dtypes.bfloat16:
        tensor = module.from_numpy(array.view(np.int16).copy()).view(module.bfloat16)
    else:
        tensor = module.from_numpy(np.array(array))
    return tensor.to(like.device)


def graph_spec(x: Any, source: str) -> KerasTensor:
    """Returns the shape and dtype of a symbolic tensor of TensorFlow.

    Args:
        x: The tensor.
        source: The caller, for errors.

    Raises:
        SpecError: Its rank is not known, or it is ragged or sparse.
    """
    tf: Any = sys.modules["tensorflow"]
    if isinstance(x, tf.Tensor) and x.shape.rank is not None:
        return KerasTensor(x.shape.as_list(), x.dtype.name, record_history=False)
    raise SpecError(
        source,
        expected="elements of a tf.data.Dataset that are dense tensors of a known rank",
        received=f"{type(x).__name__} of shape {x.shape}",
        fix="make the tensor dense with to_tensor(), or set its shape with "
        "tf.ensure_shape, before you map the layer",
    )


def call_in_graph(function: Callable[..., Any], inputs: Nested, specs: Nested) -> Any:
    """Adds a call of a function of arrays to the graph that TensorFlow is tracing.

    The function runs in this process whenever the graph does, once for each element of a
    `tf.data.Dataset`.

    Args:
        function: Takes arrays nested like `inputs`, and returns arrays nested like `specs`.
        inputs: Symbolic tensors of TensorFlow, nested, and other values, which it gets as they are.
        specs: The shapes and dtypes of the results: KerasTensors, nested.

    Returns:
        Symbolic tensors nested like `specs`, of these shapes and dtypes.
    """
    tf: Any = sys.modules["tensorflow"]
    leaves, flat_specs = tree.flatten(inputs), tree.flatten(specs)
    positions = [i for i, leaf in enumerate(leaves) if is_in_graph(leaf)]

    def run(*arrays: np.ndarray) -> list[np.ndarray]:
        values = list(leaves)
        for i, array in zip(positions, arrays, strict=True):
            values[i] = array
        results = tree.flatten(function(tree.unflatten(inputs, values)))
        return [
            _in_dtype(result, spec.dtype) for result, spec in zip(results, flat_specs, strict=True)
        ]

    dtypes = [tf.as_dtype(spec.dtype) for spec in flat_specs]
    results = tf.numpy_function(run, [leaves[i] for i in positions], dtypes)
    for result, spec in zip(results, flat_specs, strict=True):
        result.set_shape(spec.shape)
    return tree.unflatten(specs, results)


def _in_dtype(x: Any, dtype: str) -> np.ndarray:
    """Returns a result on the host as an array of a dtype."""
    array = current().convert_to_numpy(x) if current().is_tensor(x) else np.asarray(x)
    if dtype == "string":
        return array.astype(object)
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    return array.astype(kind, copy=False)
