"""Helpers for the graphs of models."""

from typing import Any

from keras_fn.core import tree
from keras_fn.core.graph import find_source_inputs
from keras_fn.core.keras_tensor import KerasTensor


def get_source_inputs(tensor: Any) -> list[KerasTensor]:
    """Returns the input tensors from which a tensor is computed.

    Args:
        tensor: A KerasTensor, or nested ones.

    Returns:
        The tensors of the `Input`s, each once. A tensor that no call made is its own source.

    Raises:
        TypeError: It is no KerasTensor.

    Example:
        >>> x = keras.Input((3,))
        >>> y = keras.layers.Dense(2)(x) * 2
        >>> get_source_inputs(y) == [x]
        True
    """
    tensors = tree.flatten(tensor)
    for x in tensors:
        if not isinstance(x, KerasTensor):
            raise TypeError(f"get_source_inputs takes a KerasTensor, not {x!r}.")
    made = [x for x in tensors if hasattr(x, "_keras_history")]
    loose = [x for x in tensors if not hasattr(x, "_keras_history")]
    return find_source_inputs(made) + loose
