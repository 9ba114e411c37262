"""SavedModels of TensorFlow as layers."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

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
