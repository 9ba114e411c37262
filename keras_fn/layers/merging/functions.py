"""The merging layers as functions: each makes a layer and calls it."""

from typing import Any

from keras_fn.layers.merging import merge
from keras_fn.layers.merging.concatenate import Concatenate, Dot


def add(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Add` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.add([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return merge.Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Subtract` layer.

    Args:
        inputs: A list of two tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.subtract([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return merge.Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Multiply` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.multiply([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return merge.Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Average` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.average([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return merge.Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Maximum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.maximum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return merge.Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Calls a new `Minimum` layer.

    Args:
        inputs: A list of tensors.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.minimum([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 3)
    """
    return merge.Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Calls a new `Concatenate` layer.

    Args:
        inputs: A list of tensors.
        axis: The axis along which they are joined.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.concatenate([keras.Input((2,)), keras.Input((3,))]).shape
        (None, 5)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Calls a new `Dot` layer.

    Args:
        inputs: A list of two tensors.
        axes: The axis of both that is summed over, or a pair of axes.
        **kwargs: Arguments of the layer, such as its name.

    Example:
        >>> keras.layers.dot([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 1)
    """
    return Dot(axes=axes, **kwargs)(inputs)
