"""SavedModels of TensorFlow, functions of JAX, and modules of Flax, as layers."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
import tensorflow as tf

from keras_fn._lazy import LazyModule
from keras_fn.core.variable import Variable


class SavedModelVariable(Variable):
    """A variable of a SavedModel, whose functions read it: its handle is that variable."""

    def __init__(self, handle: tf.Variable):
        name = handle.name.replace("/", "_")
        super().__init__(handle.numpy(), trainable=handle.trainable, name=name)
        self._handle = handle


def load_saved_model(
    path: str, endpoints: list[str]
) -> tuple[list[Callable[..., Any]], list[Variable]]:
    """Loads a SavedModel.

    Args:
        path: Its folder.
        endpoints: Names of functions: attributes of the saved object, or signatures.

    Returns:
        The functions, and the variables that they use, each once.

    Raises:
        LookupError: There is no such endpoint. Its argument is the list of those that there are.
    """
    saved = tf.saved_model.load(path)
    functions = []
    for name in endpoints:
        if not hasattr(saved, name) and name not in saved.signatures:
            raise LookupError(list(saved.signatures))
        functions.append(getattr(saved, name) if hasattr(saved, name) else saved.signatures[name])
    handles: dict[int, tf.Variable] = {}
    for function in functions:
        for concrete in getattr(function, "concrete_functions", [function]):
            handles.update({id(v): v for v in concrete.variables})
    variables: list[Variable] = [SavedModelVariable(v) for v in handles.values()]
    return [_KeepingAlive(function, saved) for function in functions], variables


class _KeepingAlive:
    """A function of a SavedModel, with a reference to the object whose resources it uses."""

    def __init__(self, function: Callable[..., Any], saved: Any):
        self.function, self.saved = function, saved

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


_jax: Any = LazyModule("jax", pip="jax")
_flax: Any = LazyModule("flax.core", pip="flax")


def flatten_pytree(values: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Returns the leaves of a pytree of JAX, and the function that nests them; arrays as NumPy's.

    Raises:
        ImportError: JAX is not installed.
    """
    leaves, definition = _jax.tree_util.tree_flatten(values)
    arrays = [np.asarray(x) if isinstance(x, _jax.Array) else x for x in leaves]
    return arrays, definition.unflatten


def call_jax(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Calls a function of JAX, with tensors as arrays of JAX. Returns what it returns."""

    def to_jax(x: Any) -> Any:
        return _jax.numpy.asarray(x.numpy()) if tf.is_tensor(x) else x

    return function(*_jax.tree_util.tree_map(to_jax, list(arguments)))


def wrap_jax(
    function: Callable[..., Any], platforms: Sequence[str] | None = None
) -> Callable[..., Any]:
    """Returns the function of JAX as one of tensors, by `jax2tf`: gradients and graphs know it.

    Args:
        function: Takes pytrees by position. Leaves other than tensors are constants.
        platforms: The platforms for which a saved program holds it; None for that of JAX.
    """
    compiled: dict[Any, Any] = {}

    def run(*arguments: Any) -> Any:
        leaves, definition = _jax.tree_util.tree_flatten(list(arguments))
        tensors = [x for x in leaves if tf.is_tensor(x)]
        constants = tuple(None if tf.is_tensor(x) else x for x in leaves)

        def of_tensors(*tensors: Any) -> Any:
            given = iter(tensors)
            filled = [next(given) if x is None else x for x in constants]
            return function(*definition.unflatten(filled))

        if not tf.executing_eagerly():
            return _convert(of_tensors, tensors, platforms)
        key = definition, constants, tuple((tuple(x.shape), x.dtype) for x in tensors)
        if key not in compiled:
            compiled[key] = tf.function(
                lambda *tensors: _convert(of_tensors, tensors, platforms), autograph=False
            )
        return compiled[key](*tensors)

    return run


def _convert(
    function: Callable[..., Any], tensors: Sequence[Any], platforms: Sequence[str] | None
) -> Any:
    """Calls a function of JAX on tensors of a graph; its program is part of that graph."""
    from jax.experimental import jax2tf

    names = (f"size{i}" for i in count())

    def describe(shape: Any) -> str:
        # Unknown sizes have names of their own, but for that of the batch, which all inputs share.
        sizes = [
            str(size) if size is not None else next(names) if axis else "batch"
            for axis, size in enumerate(shape)
        ]
        return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"

    options: dict[str, Any] = {}
    if platforms is not None:
        options["native_serialization_platforms"] = tuple(platforms)
    shapes = [describe(x.shape.as_list()) for x in tensors]
    return jax2tf.convert(function, polymorphic_shapes=shapes, **options)(*tensors)


def flax_collections_but(name: str) -> Any:
    """Returns the `mutable` argument of Flax for all collections of variables but one.

    Raises:
        ImportError: Flax is not installed.
    """
    return _flax.DenyList([name])
