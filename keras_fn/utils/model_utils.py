"""Utilities for graphs of KerasTensors."""

from __future__ import annotations

from keras_fn.core import tree
from keras_fn.core.graph import find_source_inputs
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError
from keras_fn.types import Nested


def get_source_inputs(tensor: Nested) -> list[KerasTensor]:
    """Returns the input tensors that are needed to compute a tensor.

    Args:
        tensor: A KerasTensor, or nested KerasTensors.

    Returns:
        The tensors of the `Input`s, without duplicates. A tensor that was not computed by a layer
        or op is its own source.

    Raises:
        TypeError: `tensor` is not a KerasTensor.

    Example:
        >>> x = keras.Input((3,))
        >>> y = keras.layers.Dense(2)(x) * 2
        >>> get_source_inputs(y) == [x]
        True
    """
    tensors = tree.flatten(tensor)
    for x in tensors:
        if not isinstance(x, KerasTensor):
            raise DTypeError(
                "get_source_inputs",
                expected="a KerasTensor",
                received=f"{x!r}",
                fix="pass an output of a layer that was called on a keras.Input",
            )
    computed = [x for x in tensors if hasattr(x, "_keras_history")]
    own_sources = [x for x in tensors if not hasattr(x, "_keras_history")]
    return find_source_inputs(computed) + own_sources
