"""Adapters from raw ops, which take keyword arguments, to positional functions."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Op = Callable[..., Any]

_NUMBERS = (bool, int, float, complex)


def unary(function: Op) -> Op:
    def call(x: Any) -> tf.Tensor:
        return function(x=x)

    return call


def to_common_dtype(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Returns two tensors of one dtype: in a graph a number on the left would set it."""
    if type(x1) in _NUMBERS:
        return scalar_tensor(x1, x2.dtype), x2
    if type(x2) in _NUMBERS:
        return x1, scalar_tensor(x2, x1.dtype)
    return x1, x2


def scalar_tensor(x: Any, dtype: tf.DType) -> tf.Tensor:
    """Returns a number as a tensor; floats directly, as float32 would lose digits."""
    return tf.constant(x, dtype) if type(x) is float else tf.cast(tf.constant(x), dtype)


def binary(function: Op, boolean: Op | None = None) -> Op:
    """Adapts an op of two tensors, or of a tensor and a number; `boolean` is its boolean form."""

    def call(x1: Any, x2: Any) -> tf.Tensor:
        x1, x2 = to_common_dtype(x1, x2)
        if boolean is not None and x1.dtype is tf.bool:
            return boolean(x=x1, y=x2)
        return function(x=x1, y=x2)

    return call


def as_uint8(function: Op) -> Op:
    """Adapts an op to booleans, computed as 0 and 1."""

    def call(x: Any, y: Any) -> tf.Tensor:
        return function(x=tf.cast(x, tf.uint8), y=tf.cast(y, tf.uint8))

    return call
